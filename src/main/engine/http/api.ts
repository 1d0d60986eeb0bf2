import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import {
  ClipId,
  MarkId,
  MarkRequest,
  PushTargetId,
  PushTargetRequest,
  SaveJobId,
  SaveRequest,
  StartCapture,
  StudioError,
  clipFormat,
  statusOf,
  type ClipFormat,
  type MediaReader,
} from '../../../contract/index.ts';
import { badRequest } from '../../../contract/wire/server.ts';
import type { Studio } from '../studio.ts';
import { sendFile } from './range.ts';
import { readJson, sendJson } from './respond.ts';

/** What the routes are views of. */
type Served = {
  studio: Studio;
  /** connections that read the stream or the buffer now */
  mediaReaders: () => MediaReader[];
};
type Context = Served & {
  request: IncomingMessage;
  response: ServerResponse;
  params: readonly string[];
  signal: AbortSignal;
};
type Route = { method: 'GET' | 'POST' | 'DELETE'; path: RegExp; run: (context: Context) => Promise<void> };

const route = (method: Route['method'], path: RegExp, run: Route['run']): Route => ({ method, path, run });

async function body<S extends z.ZodType>(request: IncomingMessage, schema: S): Promise<z.output<S>> {
  const parsed = schema.safeParse(await readJson(request));
  if (!parsed.success) throw badRequest('The request', parsed.error);
  return parsed.data;
}

const clipIdOf = (params: readonly string[]): string => {
  const id = ClipId.safeParse(params[0]);
  if (!id.success)
    throw new StudioError('clip-not-found', 'There is no such clip.', 'Ask GET /api/clips for the list.');
  return id.data;
};

const saveIdOf = (params: readonly string[]): string => {
  const id = SaveJobId.safeParse(params[0]);
  if (!id.success)
    throw new StudioError('not-found', 'There is no such save.', 'Ask GET /api/status for those under way.');
  return id.data;
};

const markIdOf = (params: readonly string[]): string => {
  const id = MarkId.safeParse(params[0]);
  if (!id.success) throw new StudioError('not-found', 'There is no such mark.', 'Ask GET /api/marks for the list.');
  return id.data;
};

const pushIdOf = (params: readonly string[]): string => {
  const id = PushTargetId.safeParse(params[0]);
  if (!id.success) throw new StudioError('not-found', 'There is no such address.', 'Ask GET /api/push for the list.');
  return id.data;
};

const MEDIA_TYPES: Record<ClipFormat, string> = {
  mp4: 'video/mp4',
  mkv: 'video/x-matroska',
  ts: 'video/mp2t',
  gif: 'image/gif',
  webm: 'video/webm',
};

const sourceIdOf = (params: readonly string[]): string => {
  try {
    return decodeURIComponent(params[0] ?? '');
  } catch (cause) {
    throw new StudioError('not-found', 'There is no such source.', 'Ask GET /api/sources for the list.', { cause });
  }
};

/** `at` of the query, Unix seconds. */
const timeOf = (request: IncomingMessage): number => {
  const text = new URL(request.url ?? '/', 'http://localhost').searchParams.get('at') ?? '';
  const at = Number(text);
  if (text.trim() === '' || !Number.isFinite(at))
    throw new StudioError('bad-request', 'The time asked for is missing or no number.', 'Give ?at= in Unix seconds.');
  return at;
};

/** RFC 9110 section 15.5.6: 405 says in Allow what would do. */
export function methodNotAllowed(
  request: IncomingMessage,
  response: ServerResponse,
  allowed: readonly string[],
): StudioError {
  response.setHeader('Allow', allowed.join(', '));
  return new StudioError(
    'method-not-allowed',
    `${request.method ?? 'This method'} is not possible here.`,
    `Use ${allowed.join(' or ')}; see the table of routes in README.md.`,
  );
}

/** `/api/*` of DESIGN section 3. Each route calls the same intents as the contract's procedures. */
const ROUTES: readonly Route[] = [
  route('GET', /^\/api\/status$/, async ({ studio, mediaReaders, response }) => {
    studio.refresh();
    sendJson(response, 200, statusOf(studio.state, mediaReaders()));
    return Promise.resolve();
  }),
  route('GET', /^\/api\/sources$/, async ({ studio, response }) =>
    sendJson(response, 200, await studio.refreshSources()),
  ),
  route('GET', /^\/api\/sources\/([^/]+)\/thumbnail$/, async ({ studio, response, params, signal }) => {
    const jpeg = await studio.sourceThumbnail(sourceIdOf(params), signal);
    response.writeHead(200, {
      'Content-Type': 'image/jpeg',
      'Content-Length': jpeg.length,
      'Cache-Control': 'no-store',
    });
    response.end(jpeg);
  }),
  route('POST', /^\/api\/capture\/start$/, async ({ studio, request, response }) =>
    sendJson(response, 200, await studio.startCapture(await body(request, StartCapture))),
  ),
  route('POST', /^\/api\/capture\/stop$/, async ({ studio, response }) =>
    sendJson(response, 200, await studio.stopCapture()),
  ),
  route('POST', /^\/api\/replays$/, async ({ studio, request, response }) =>
    sendJson(response, 201, await studio.saveReplay(await body(request, SaveRequest))),
  ),
  route('GET', /^\/api\/replay\/thumbnails$/, async ({ studio, request, response, signal }) => {
    const jpeg = await studio.replayThumbnail(timeOf(request), signal);
    response.writeHead(200, {
      'Content-Type': 'image/jpeg',
      'Content-Length': jpeg.length,
      'Cache-Control': 'no-store',
    });
    response.end(response.req.method === 'HEAD' ? undefined : jpeg);
  }),
  route('DELETE', /^\/api\/replays\/([^/]+)$/, async ({ studio, response, params }) => {
    await studio.cancelSave(saveIdOf(params));
    response.writeHead(204).end();
  }),
  route('POST', /^\/api\/recovery\/save$/, async ({ studio, response }) =>
    sendJson(response, 201, await studio.saveRecovery()),
  ),
  route('DELETE', /^\/api\/recovery$/, async ({ studio, response }) => {
    await studio.discardRecovery();
    response.writeHead(204).end();
  }),
  route('POST', /^\/api\/marks$/, async ({ studio, request, response }) => {
    const { label } = await body(request, MarkRequest);
    sendJson(response, 201, await studio.addMark(label));
  }),
  route('GET', /^\/api\/marks$/, async ({ studio, response }) => {
    studio.refresh();
    sendJson(response, 200, studio.state.marks);
    return Promise.resolve();
  }),
  route('DELETE', /^\/api\/marks\/([^/]+)$/, async ({ studio, response, params }) => {
    await studio.deleteMark(markIdOf(params));
    response.writeHead(204).end();
  }),
  route('GET', /^\/api\/push$/, async ({ studio, response }) => {
    studio.refresh();
    sendJson(response, 200, studio.state.push);
    return Promise.resolve();
  }),
  route('POST', /^\/api\/push$/, async ({ studio, request, response }) =>
    sendJson(response, 201, await studio.setPushTarget(await body(request, PushTargetRequest))),
  ),
  route('POST', /^\/api\/push\/([^/]+)\/(enable|disable)$/, async ({ studio, response, params }) => {
    await studio.enablePushTarget(pushIdOf(params), params[1] === 'enable');
    response.writeHead(204).end();
  }),
  route('DELETE', /^\/api\/push\/([^/]+)$/, async ({ studio, response, params }) => {
    await studio.deletePushTarget(pushIdOf(params));
    response.writeHead(204).end();
  }),
  route('GET', /^\/api\/clips$/, async ({ studio, response }) => {
    await studio.clips.refresh();
    sendJson(response, 200, studio.state.clips);
  }),
  route('GET', /^\/api\/clips\/([^/]+)\/file$/, async ({ studio, response, params }) => {
    const clip = await studio.clips.get(clipIdOf(params));
    await sendFile(response, clip.path, { 'Content-Type': MEDIA_TYPES[clipFormat(clip)] });
  }),
  route('GET', /^\/api\/clips\/([^/]+)\/preview$/, async ({ studio, response, params, signal }) => {
    await sendFile(response, await studio.clips.preview(clipIdOf(params), signal), { 'Content-Type': 'video/mp4' });
  }),
  route('GET', /^\/api\/clips\/([^/]+)\/thumbnail$/, async ({ studio, response, params, signal }) => {
    await sendFile(response, await studio.clips.thumbnail(clipIdOf(params), signal), {
      'Content-Type': 'image/jpeg',
      'Cache-Control': 'private, max-age=86400',
    });
  }),
  route('DELETE', /^\/api\/clips\/([^/]+)$/, async ({ studio, response, params }) => {
    await studio.clips.delete(clipIdOf(params));
    response.writeHead(204).end();
  }),
];

/** Answers a request under `/api/`. Errors: `StudioError`, to be sent as a problem document. */
export async function serveApi(
  served: Served,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const matches = ROUTES.filter((candidate) => candidate.path.test(path));
  const found = matches.find((candidate) => candidate.method === method);
  if (!found && matches.length > 0)
    throw methodNotAllowed(
      request,
      response,
      matches.map((candidate) => candidate.method),
    );
  if (!found)
    throw new StudioError('not-found', `There is nothing at ${path}.`, 'See the table of routes in README.md.');
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const params = found.path.exec(path)?.slice(1) ?? [];
  await found.run({ ...served, request, response, params, signal: gone.signal });
}
