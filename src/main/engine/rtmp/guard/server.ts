import net from 'node:net';
import type { RtmpPeer } from '../../../../contract/rtmp.ts';
import { Connection, type ConnectionHost, type Refusal } from './connection.ts';
import type { Query } from './commands.ts';
import { LIMITS } from './limits.ts';
import { LivePath } from './live-path.ts';
import { sameSecret } from './secrets.ts';

/** Who may do what. Empty keys demand nothing. */
export type RtmpAccess = { publishKey: string; playKey: string; ownToken: string; liveKey: string };

export type RtmpServerOptions = {
  onPeers(peers: { publishers: RtmpPeer[]; readers: RtmpPeer[] }): void;
  onLog: ConnectionHost['log'];
};

const CHECK_MS = 1000;
const LOG_WINDOW_MS = 10_000;
const now = (): number => performance.now();

/**
 * The RTMP server: publish and play on `/live/KEY`, loopback only. It owns listener, limits, who may do what, and the streams;
 * node-media-server answers handshake and commands behind `Protocol`.
 */
export class RtmpServer {
  readonly #options: RtmpServerOptions;
  readonly #server: net.Server;
  readonly #connections = new Set<Connection>();
  readonly #paths = new Map<string, { path: LivePath; publisher: Connection | undefined }>();
  #access: RtmpAccess = { publishKey: '', playKey: '', ownToken: '', liveKey: '' };
  #count = 0;
  #reported = '';
  #reporting = false;
  #logged = { since: 0, lines: 0, left: 0 };
  readonly #timer: NodeJS.Timeout;

  constructor(options: RtmpServerOptions) {
    this.#options = options;
    this.#server = net.createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#timer = setInterval(() => {
      for (const connection of this.#connections) connection.check();
      this.#report();
    }, CHECK_MS);
  }

  /** Listens on 127.0.0.1. `port` 0 for any free one; answers the port. Errors: what the system says, EADDRINUSE among it. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: '127.0.0.1', port, backlog: 128 }, () => {
        this.#server.off('error', reject);
        // running out of descriptors must not end the process
        this.#server.on('error', (error) => this.#options.onLog('closed', { reason: `listening: ${error.message}` }));
        resolve();
      });
    });
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** From now on, for those too who are connected already. */
  setAccess(access: RtmpAccess): void {
    this.#access = access;
    for (const connection of [...this.#connections]) connection.admitAgain();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#server.close();
    for (const connection of this.#connections) connection.close('the server ends');
  }

  #accept(socket: net.Socket): void {
    if (this.#connections.size >= LIMITS.sockets) {
      // the oldest of those that want nothing yet makes room: idle sockets must not keep anyone out, our own programs least of all
      const idle = [...this.#connections].find(({ isIdle }) => isIdle);
      idle?.close('another one needs the room');
      if (idle) this.#connections.delete(idle);
      else {
        socket.on('error', () => undefined);
        socket.destroy();
        this.#log('refused', { address: socket.remoteAddress ?? '?', reason: 'too many connections' });
        return;
      }
    }
    const connection = new Connection(String(++this.#count), socket, this.#host);
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }

  readonly #host: ConnectionHost = {
    mayPublish: (key, query) => this.#mayPublish(key, query),
    mayStillPublish: (key, query) =>
      this.#mayAtAll(query) ??
      (this.#keyFor(key, query) === key
        ? undefined
        : { code: 'NetStream.Publish.Denied', reason: 'The live address has another key now.' }),
    keyFor: (key, query) => this.#keyFor(key, query),
    mayPlay: (_key, query) =>
      this.#access.playKey === '' || this.#isOwn(query) || sameSecret(query.key, this.#access.playKey)
        ? undefined
        : { code: 'NetStream.Play.Failed', reason: 'The key to watch is missing or wrong.' },
    isOwn: (query) => this.#isOwn(query),
    publish: (key, connection) => {
      const entry = this.#entry(key);
      entry.publisher = connection;
      entry.path.begin();
      return entry.path;
    },
    unpublish: (key, connection) => {
      const entry = this.#paths.get(key);
      if (entry?.publisher !== connection) return;
      entry.publisher = undefined;
      entry.path.end();
      this.#tidy(key);
    },
    play: (key) => this.#entry(key).path,
    unplay: (key) => this.#tidy(key),
    changed: () => this.#reportSoon(),
    log: (event, fields) => this.#log(event, fields),
    now,
  };

  #isOwn(query: Query): boolean {
    return this.#access.ownToken !== '' && sameSecret(query.own, this.#access.ownToken);
  }

  /** Our own programs always publish at the live address: one whose key was changed meanwhile is sent there when it comes back. */
  #keyFor(key: string, query: Query): string {
    const { liveKey } = this.#access;
    return liveKey !== '' && this.#isOwn(query) ? liveKey : key;
  }

  #mayAtAll(query: Query): Refusal | undefined {
    const { publishKey } = this.#access;
    return publishKey === '' || this.#isOwn(query) || sameSecret(query.key, publishKey)
      ? undefined
      : { code: 'NetStream.Publish.Denied', reason: 'The key to publish is missing or wrong.' };
  }

  #mayPublish(key: string, query: Query): Refusal | undefined {
    const refusal = this.#mayAtAll(query);
    if (refusal) return refusal;
    if (this.#paths.get(key)?.publisher)
      return { code: 'NetStream.Publish.BadName', reason: 'Another program publishes there.' };
    const publishers = [...this.#connections].filter(({ publishing }) => publishing).length;
    if (publishers >= LIMITS.publishers)
      return { code: 'NetStream.Publish.Denied', reason: 'Too many programs publish already.' };
    return undefined;
  }

  #entry(key: string): { path: LivePath; publisher: Connection | undefined } {
    let entry = this.#paths.get(key);
    if (!entry) {
      entry = { path: new LivePath(now), publisher: undefined };
      this.#paths.set(key, entry);
    }
    return entry;
  }

  /** A path nobody is at takes no memory. */
  #tidy(key: string): void {
    const entry = this.#paths.get(key);
    if (entry && !entry.publisher && entry.path.readers === 0) this.#paths.delete(key);
  }

  /** Bounded: one who connects a thousand times fills no log. */
  #log(event: Parameters<ConnectionHost['log']>[0], fields: Parameters<ConnectionHost['log']>[1]): void {
    const at = now();
    if (at - this.#logged.since > LOG_WINDOW_MS) {
      const { left } = this.#logged;
      this.#logged = { since: at, lines: 0, left: 0 };
      if (left > 0) this.#options.onLog('closed', { reason: `and ${left} more in ten seconds` });
    }
    this.#logged.lines += 1;
    if (this.#logged.lines <= LIMITS.logLines) this.#options.onLog(event, fields);
    else this.#logged.left += 1;
  }

  #reportSoon(): void {
    if (this.#reporting) return;
    this.#reporting = true;
    setImmediate(() => {
      this.#reporting = false;
      this.#report();
    });
  }

  #report(): void {
    const peers = [...this.#connections].flatMap(({ peer }) => peer ?? []);
    const of = (wanted: 'publisher' | 'reader'): RtmpPeer[] =>
      peers.flatMap(({ role, peer }) => (role === wanted ? [peer] : []));
    const report = { publishers: of('publisher'), readers: of('reader') };
    const text = JSON.stringify(report);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#options.onPeers(report);
  }
}
