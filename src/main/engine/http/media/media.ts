import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { StudioError, type MediaReader } from '../../../../contract/index.ts';
import type { Log } from '../../logging/log.ts';
import type { Body } from '../../replay/body.ts';
import type { CursorOptions } from '../../replay/cursor.ts';
import type { ReplayRing } from '../../replay/ring.ts';
import { parseRange } from '../range.ts';
import { sendProblem } from '../respond.ts';
import { Bodies } from './bodies.ts';
import { pump } from './pump.ts';
import { MediaReaders, type MediaReaderKind } from './readers.ts';

const VIDEO = { 'Content-Type': 'video/mp2t', 'Cache-Control': 'no-store' };
const RETRY_SECONDS = '1';
const MAX_SECONDS = 86_400;
/** A reader of the live stream this far behind is no longer live: it is moved to the newest keyframe. */
const LIVE_BEHIND_BYTES = 16_000_000;

const ROUTE = /^\/(?:video|live\.ts|video\/\d{1,16}-\d{1,16}\.ts)$/;
const ADDRESS = /^\/video\/((\d+)-(\d+))\.ts$/;

export type Media = {
  /** True for the paths answered here. */
  handles(path: string): boolean;
  /** Answers one request; settles when its body has ended. Errors: `StudioError`, `range-not-held` in the middle of a body too. */
  serve(path: string, response: ServerResponse): Promise<void>;
  /** Who reads now. */
  readers(): MediaReader[];
};

type Query = { follow: boolean; seconds: number | undefined };

function badRequest(message: string): StudioError {
  return new StudioError('bad-request', message, 'Use /video, /video?seconds=30, /video?follow=1 or /live.ts.');
}

/** Errors: `bad-request` for anything but one `follow=1` or one `seconds` above 0 and up to a day. */
export function parseQuery(params: URLSearchParams): Query {
  const names = [...params.keys()];
  const unknown = names.find((name) => name !== 'seconds' && name !== 'follow');
  if (unknown !== undefined) throw badRequest('The address has a parameter that is not known.');
  if (names.length > 1) throw badRequest('seconds and follow may be given once and not together.');
  const [seconds, follow] = [params.get('seconds'), params.get('follow')];
  if (follow !== null && follow !== '1') throw badRequest('follow can only be 1.');
  if (seconds === null) return { follow: follow !== null, seconds: undefined };
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(seconds) ? Number(seconds) : Number.NaN;
  if (!(value > 0 && value <= MAX_SECONDS))
    throw badRequest(`seconds must be a number above 0, at most ${MAX_SECONDS}.`);
  return { follow: false, seconds: value };
}

/** `/video`, `/video/<from>-<to>.ts` and `/live.ts` of DESIGN section 3, over the ring. */
export function createMedia(ring: ReplayRing, log: Pick<Log, 'info'>): Media {
  const readers = new MediaReaders(() => Date.now() / 1000);
  const bodies = new Bodies(ring);

  const empty = (response: ServerResponse): void => {
    response.setHeader('Retry-After', RETRY_SECONDS);
    const error = new StudioError(
      'buffer-empty',
      'Nothing is in the replay buffer yet.',
      'Start streaming, then open this again.',
    );
    sendProblem(response, error, 503);
  };

  const gone = (response: ServerResponse): void => {
    const error = new StudioError(
      'range-not-held',
      'This part of the replay has left the buffer.',
      'Open /video again for what is held now.',
    );
    sendProblem(response, error, 410);
  };

  /** Sends the headers and, unless only these were asked for, what `work` sends. */
  const withReader = async (
    kind: MediaReaderKind,
    response: ServerResponse,
    { status, headers }: { status: number; headers: OutgoingHttpHeaders },
    work: (reader: MediaReader) => Promise<void>,
  ): Promise<void> => {
    if (response.req.method === 'HEAD') {
      response.writeHead(status, headers).end();
      return;
    }
    let reader: MediaReader;
    try {
      reader = readers.add(kind);
    } catch (error) {
      response.setHeader('Retry-After', RETRY_SECONDS);
      sendProblem(response, error, 503);
      return;
    }
    try {
      response.writeHead(status, headers);
      await work(reader);
    } finally {
      readers.remove(reader);
      if (reader.skipped > 0) log.info({ reader }, 'a reader of the stream was moved forward because it was too slow');
    }
  };

  const sendBody = async (
    kind: MediaReaderKind,
    response: ServerResponse,
    head: { status: number; headers: OutgoingHttpHeaders },
    { body, from, to }: { body: Body; from: number; to: number },
  ): Promise<void> =>
    withReader(kind, response, head, async (reader) => {
      const chunks = body.read(from, to);
      try {
        await pump(
          response,
          async () => Promise.resolve(chunks.next().value ?? null),
          (bytes) => (reader.bytesSent += bytes),
        );
      } finally {
        chunks.return();
      }
    });

  const sendEndless = async (
    kind: MediaReaderKind,
    response: ServerResponse,
    options: CursorOptions,
  ): Promise<void> => {
    if (ring.status().secondsHeld === 0) {
      empty(response);
      return;
    }
    await withReader(kind, response, { status: 200, headers: VIDEO }, async (reader) => {
      const cursor = ring.openCursor(options);
      try {
        response.flushHeaders();
        await pump(
          response,
          async (signal) => cursor.next(signal),
          (bytes) => {
            reader.bytesSent += bytes;
            reader.skipped = cursor.skipped;
          },
        );
      } finally {
        cursor.close();
      }
    });
  };

  const sendNow = async (response: ServerResponse, seconds: number | undefined): Promise<void> => {
    const body = ring.body(seconds === undefined ? 'all' : { lastSeconds: seconds });
    if (!body) {
      empty(response);
      return;
    }
    const headers = { ...VIDEO, 'Content-Length': body.size };
    await sendBody('video', response, { status: 200, headers }, { body, from: 0, to: body.size });
  };

  const redirect = (response: ServerResponse, seconds: number | undefined): void => {
    const address = bodies.address(seconds);
    if (address === null) {
      empty(response);
      return;
    }
    // max-age keeps players at this address when they seek: measured with mpv, which otherwise asks /video again and gets another.
    response.writeHead(307, { Location: `/video/${address}.ts`, 'Cache-Control': 'max-age=3600', 'Content-Length': 0 });
    response.end();
  };

  const sendAddress = async (response: ServerResponse, path: string): Promise<void> => {
    const [, key = '', from] = ADDRESS.exec(path) ?? [];
    const body = bodies.get(key);
    if (!body && Number(from) < ring.oldestOffset) {
      gone(response);
      return;
    }
    if (!body)
      throw new StudioError(
        'not-found',
        'This part of the replay is not known.',
        'Open /video again for what is held now.',
      );
    return sendRange(response, body);
  };

  const sendRange = async (response: ServerResponse, body: Body): Promise<void> => {
    const range = parseRange(response.req.headers.range, body.size);
    const headers = { ...VIDEO, 'Accept-Ranges': 'bytes' };
    if (range === 'unsatisfiable') {
      response.writeHead(416, { ...headers, 'Content-Range': `bytes */${body.size}`, 'Content-Length': 0 }).end();
      return;
    }
    const { from, to } = range ?? { from: 0, to: body.size - 1 };
    if (!body.holds(from)) {
      gone(response);
      return;
    }
    const length = {
      'Content-Length': to - from + 1,
      ...(range ? { 'Content-Range': `bytes ${from}-${to}/${body.size}` } : {}),
    };
    const head = { status: range ? 206 : 200, headers: { ...headers, ...length } };
    await sendBody('range', response, head, { body, from, to: to + 1 });
  };

  return {
    handles: (path) => ROUTE.test(path),
    readers: () => readers.list(),
    async serve(path, response) {
      const request = response.req;
      const search = new URLSearchParams((request.url ?? '').split('?').slice(1).join('?'));
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        const error = new StudioError('not-found', `${request.method ?? ''} is not possible on ${path}.`, 'Use GET.');
        sendProblem(response, error, 405);
        return;
      }
      if (path !== '/video' && search.size > 0) throw badRequest(`${path} takes no parameters.`);
      if (path === '/live.ts') {
        return sendEndless('live', response, {
          start: 'newest',
          whenLate: 'newest',
          maxBehindBytes: LIVE_BEHIND_BYTES,
        });
      }
      if (path !== '/video') return sendAddress(response, path);
      const { follow, seconds } = parseQuery(search);
      if (follow) return sendEndless('follow', response, { start: 'oldest' });
      if (request.headers.range?.startsWith('bytes=') === true) {
        redirect(response, seconds);
        return;
      }
      return sendNow(response, seconds);
    },
  };
}
