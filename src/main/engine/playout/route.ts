import type { IncomingMessage, ServerResponse } from 'node:http';
import { StudioError } from '../../../contract/index.ts';
import { methodNotAllowed } from '../http/api.ts';
import { sendJson, sendProblem } from '../http/respond.ts';
import type { Playout } from './playout.ts';

const MAX_SECONDS = 86_400;

/** Errors: `bad-request` for anything but one `seconds` above 0 and up to a day. */
export function playSeconds(params: URLSearchParams): number | undefined {
  const names = [...params.keys()];
  if (names.length === 0) return undefined;
  const [text] = params.getAll('seconds');
  const value = text !== undefined && /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (names.length > 1 || !(value > 0 && value <= MAX_SECONDS)) {
    throw new StudioError(
      'bad-request',
      `/play takes seconds, once: a number above 0, at most ${MAX_SECONDS}.`,
      'Use /play or /play?seconds=30.',
    );
  }
  return value;
}

/** `GET` or `POST /play[?seconds=N]` of DESIGN section 3: 202 once somebody reads. Errors: `StudioError`. */
export async function servePlay(
  playout: Playout,
  request: IncomingMessage,
  response: ServerResponse,
  video: string,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'POST') throw methodNotAllowed(request, response, ['GET', 'POST']);
  const seconds = playSeconds(new URLSearchParams((request.url ?? '').split('?').slice(1).join('?')));
  request.resume(); // a body says nothing
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    const answer = await playout.play({ ...(seconds === undefined ? {} : { seconds }), video, signal: gone.signal });
    sendJson(response, 202, answer);
  } catch (error) {
    if (!(error instanceof StudioError && error.code === 'buffer-empty')) throw error;
    response.setHeader('Retry-After', '1');
    sendProblem(response, error, 503);
  }
}
