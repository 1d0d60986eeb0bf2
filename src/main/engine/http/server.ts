import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import sirv from 'sirv';
import { WebSocketServer } from 'ws';
import { StudioError } from '../../../contract/index.ts';
import { serveContract, type Handler } from '../../../contract/wire/server.ts';
import { MAX_MESSAGE_BYTES } from '../../../contract/wire/wire.ts';
import { wsWire } from '../../../contract/wire/ws.ts';
import type { Log } from '../logging/log.ts';
import type { Playout } from '../playout/playout.ts';
import { servePlay } from '../playout/route.ts';
import type { Studio } from '../studio.ts';
import { methodNotAllowed, serveApi } from './api.ts';
import { guardInput, refusal } from './guard.ts';
import { createMedia } from './media/media.ts';
import { sendProblem } from './respond.ts';

export type HttpOptions = {
  /** 0 for any free port */
  port: number;
  /** folder of the built renderer */
  pages: string;
  studio: Studio;
  playout: Playout;
  handlers: ReadonlyMap<string, Handler>;
  log: Log;
};

export type HttpServer = {
  port: number;
  url: string;
  close(): Promise<void>;
};

const SECURITY_HEADERS = {
  'Content-Security-Policy': "frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};
const MAX_SOCKETS = 128;
const MAX_CLIENTS = 32;

/**
 * Serves the UI, `/api/*`, the stream and the buffer as media, and the contract on 127.0.0.1 and, where it exists, [::1]. Errors: `port-in-use`.
 * Nothing thrown while answering one request reaches another, or the engine.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { studio, log, handlers } = options;
  const pages = sirv(options.pages, { dev: false, etag: true, gzip: false });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  const media = createMedia(studio.ring, log);
  let port = options.port;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    const refused = refusal(guardInput(request), port);
    if (refused) throw refused;
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (path.startsWith('/api/'))
      return serveApi({ studio, mediaReaders: () => media.readers() }, request, response, path);
    if (path === '/play') return servePlay(options.playout, request, response, `http://127.0.0.1:${port}/video`);
    if (media.handles(path)) return media.serve(path, response);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw methodNotAllowed(request, response, ['GET', 'HEAD']);
    }
    pages(request, response, () =>
      sendProblem(
        response,
        new StudioError('not-found', `There is nothing at ${path}.`, `The studio is at http://127.0.0.1:${port}/.`),
      ),
    );
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((thrown: unknown) => {
      if (!(thrown instanceof StudioError)) log.error({ err: thrown, url: request.url }, 'a request failed');
      else if (thrown.cause !== undefined) log.warn({ err: thrown, url: request.url }, thrown.message);
      sendProblem(response, thrown);
    });
  };

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '/').split('?')[0];
    if (path !== '/rpc' || refusal(guardInput(request), port) || sockets.clients.size >= MAX_CLIENTS) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', (error) => log.info({ err: error }, 'a client broke the WebSocket protocol'));
      serveContract(wsWire(client), handlers, {
        onError: (name, thrown) => log.error({ err: thrown }, `${name} failed`),
      });
    });
  };

  const open = async (host: string): Promise<Server> => {
    const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, onRequest);
    server.maxConnections = MAX_SOCKETS;
    server.on('upgrade', onUpgrade);
    server.on('clientError', (_error, socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        server.on('error', (error) => log.error({ err: error }, 'the HTTP server failed'));
        resolve();
      });
    });
    return server;
  };

  const servers: Server[] = [];
  try {
    const first = await open('127.0.0.1');
    servers.push(first);
    port = portOf(first.address()) ?? port;
  } catch (cause) {
    throw portError(port, cause);
  }
  try {
    servers.push(await open('::1'));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EADDRINUSE' && options.port !== 0) {
      for (const server of servers) server.close();
      throw portError(port, error);
    }
    log.info({ code }, 'no IPv6 loopback here; serving 127.0.0.1 only');
  }
  log.info({ port }, 'HTTP server listening');

  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    async close() {
      for (const client of sockets.clients) client.close(1001, 'the studio ends');
      await Promise.all(
        servers.map(
          async (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeAllConnections();
            }),
        ),
      );
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
  };
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

const portOf = (address: AddressInfo | string | null): number | undefined =>
  typeof address === 'object' ? address?.port : undefined;

const portError = (port: number, cause: unknown): StudioError =>
  codeOf(cause) === 'EADDRINUSE'
    ? new StudioError(
        'port-in-use',
        `Port ${port} is used by another program.`,
        'Close that program, or start with --port and another number (0 for any free one).',
        { cause },
      )
    : new StudioError(
        'port-in-use',
        `Port ${port} cannot be used (${codeOf(cause) ?? 'unknown'}).`,
        'Start with --port and another number (0 for any free one).',
        { cause },
      );
