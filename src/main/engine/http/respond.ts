import type { IncomingMessage, ServerResponse } from 'node:http';
import { StudioError, httpStatusOf, toErrorInfo } from '../../../contract/index.ts';

const MAX_BODY_BYTES = 64 * 1024;
const BODY_MS = 10_000;

export function sendJson(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
  });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}

/** RFC 9457 `application/problem+json`: `title` is the sentence, `detail` the remedy. */
export function sendProblem(response: ServerResponse, thrown: unknown, status?: number): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { code, message, remedy } = toErrorInfo(thrown);
  const actual = status ?? httpStatusOf(code);
  sendJson(
    response,
    actual,
    { type: `urn:pitwall:${code}`, title: message, detail: remedy, status: actual, code },
    'application/problem+json',
  );
}

/**
 * The JSON body of a request whatever its Content-Type says, so that a bare `curl -d` works; an empty body is `{}`.
 * Errors: `bad-request` when too large, too slow or not JSON.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(() => request.destroy(), BODY_MS);
  try {
    for await (const chunk of request) {
      if (!(chunk instanceof Buffer)) continue;
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES)
        throw new StudioError('bad-request', 'The request is too large.', 'Send a JSON object of a few fields.');
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  const text = Buffer.concat(chunks).toString('utf8').trim();
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StudioError('bad-request', 'The request is not JSON.', 'Send a JSON object such as {"seconds":30}.', {
      cause,
    });
  }
}
