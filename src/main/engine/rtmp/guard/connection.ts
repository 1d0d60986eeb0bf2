import type { Socket } from 'node:net';
import type { RtmpPeer } from '../../../../contract/rtmp.ts';
import { ChunkReader, TYPE, type RtmpMessage } from './chunks.ts';
import { readCommand, type Command, type Query } from './commands.ts';
import { LIMITS, RtmpViolation } from './limits.ts';
import type { LivePath, PathReader } from './live-path.ts';
import { pingRequest, Protocol } from './protocol.ts';
import { RateMeter } from './rate-meter.ts';
import { ReaderQueue, type Outgoing } from './reader-queue.ts';

/** What a connection asks of the server it belongs to. */
export type ConnectionHost = {
  /** Answers undefined when it may, else why not. */
  mayPublish(key: string, query: Query): Refusal | undefined;
  mayPlay(key: string, query: Query): Refusal | undefined;
  /** As `mayPublish`, of one that does. */
  mayStillPublish(key: string, query: Query): Refusal | undefined;
  isOwn(query: Query): boolean;
  /** The key it publishes under when it asked for `key`. */
  keyFor(key: string, query: Query): string;
  /** Takes a path for its publisher; the path must be free. */
  publish(key: string, connection: Connection): LivePath;
  unpublish(key: string, connection: Connection): void;
  play(key: string): LivePath;
  unplay(key: string): void;
  changed(): void;
  log(event: 'refused' | 'closed' | 'opened', fields: Readonly<Record<string, string | number>>): void;
  /** monotonic, ms */
  now(): number;
};
export type Refusal = { code: string; reason: string };

type Role =
  | { is: 'handshaking'; bytes: Buffer[]; got: number }
  /** C2 is under way */
  | { is: 'greeting'; left: number }
  | { is: 'connected' }
  | { is: 'publishing'; key: string; path: LivePath; streamId: number; own: boolean; lastMedia: number }
  | {
      is: 'playing';
      key: string;
      path: LivePath;
      reader: PathReader;
      queue: ReaderQueue;
      streamId: number;
      own: boolean;
      tookAt: number;
    }
  | { is: 'closed' };

const HANDSHAKE_BYTES = 1536;
const APP = 'live';
/** Bytes after which a sender wants to hear that they came. */
const ACK_EVERY = 1_000_000;
const LINGER_MS = 500;

/** One socket from its first byte to its last. Whatever goes wrong in it closes it, with a reason, and nothing else. */
export class Connection {
  readonly id: string;
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #protocol: Protocol;
  readonly #chunks: ChunkReader;
  readonly #since = Date.now() / 1000;
  readonly #address: string;
  readonly #sent: RateMeter;
  #role: Role = { is: 'handshaking', bytes: [], got: 0 };
  #client: string | undefined;
  #appQuery: Query = { key: undefined, own: undefined };
  /** what it gave when it was let in */
  #asked: Query = { key: undefined, own: undefined };
  #connectedApp = false;
  #openedAt: number;
  #heardAt: number;
  #pingedAt: number;
  #received = 0;
  #acknowledged = 0;

  constructor(id: string, socket: Socket, host: ConnectionHost) {
    this.id = id;
    this.#socket = socket;
    this.#host = host;
    this.#address = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.#openedAt = host.now();
    this.#heardAt = this.#openedAt;
    this.#pingedAt = this.#openedAt;
    this.#sent = new RateMeter(() => host.now());
    this.#protocol = new Protocol((bytes) => this.#write(bytes));
    this.#chunks = new ChunkReader((message) => this.#receive(message));
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#contain(() => this.#data(bytes)));
    socket.on('drain', () => this.#contain(() => this.#drained()));
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#leave());
  }

  get publishing(): boolean {
    return this.#role.is === 'publishing';
  }

  /** As clients of the studio see it; undefined for one that neither publishes nor plays. */
  get peer(): { role: 'publisher' | 'reader'; peer: RtmpPeer } | undefined {
    const role = this.#role;
    if (role.is !== 'publishing' && role.is !== 'playing') return undefined;
    const { videoCodec, audioCodec, width, height } = role.path.publication;
    const rates = (role.is === 'publishing' ? role.path.meter : this.#sent).read();
    const fps = role.path.meter.read()?.fps;
    const peer: RtmpPeer = {
      id: this.id,
      path: `/${APP}/${role.key}`,
      address: this.#address,
      since: this.#since,
      own: role.own,
      ...(this.#client === undefined ? {} : { client: this.#client }),
      ...(videoCodec === undefined ? {} : { videoCodec }),
      ...(audioCodec === undefined ? {} : { audioCodec }),
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height }),
      ...(fps === undefined || fps === 0 ? {} : { fps }),
      ...(rates === undefined ? {} : { kbps: rates.kbps }),
      ...(role.is === 'playing' ? { skippedGops: role.queue.skipped } : {}),
    };
    return { role: role.is === 'publishing' ? 'publisher' : 'reader', peer };
  }

  /** It has not got as far as to publish or play: the first to go when there is no room. */
  get isIdle(): boolean {
    return this.#role.is !== 'publishing' && this.#role.is !== 'playing';
  }

  /** Ends it unless it may be here by the rules of now, which changed. */
  admitAgain(): void {
    const role = this.#role;
    if (role.is !== 'publishing' && role.is !== 'playing') return;
    const { key } = role;
    const refusal =
      role.is === 'publishing' ? this.#host.mayStillPublish(key, this.#asked) : this.#host.mayPlay(key, this.#asked);
    if (refusal) this.close(`${refusal.reason} (changed in the settings)`);
  }

  /** Ends it with a reason for the log. */
  close(reason: string): void {
    if (this.#role.is === 'closed') return;
    this.#host.log('closed', { address: this.#address, reason });
    this.#socket.destroy();
    this.#leave();
  }

  /** Called about once a second: what waits too long is ended, who is silent is asked. */
  check(): void {
    const now = this.#host.now();
    const role = this.#role;
    switch (role.is) {
      case 'handshaking':
      case 'greeting':
        if (now - this.#openedAt > LIMITS.handshakeMs) this.close('no handshake within its time');
        return;
      case 'connected':
        if (now - this.#openedAt > LIMITS.commandMs) this.close('neither publishes nor plays');
        return;
      case 'publishing':
        if (now - role.lastMedia > LIMITS.publisherIdleMs) this.close('published nothing for too long');
        return;
      case 'playing':
        if (this.#socket.writableLength > 0 && now - role.tookAt > LIMITS.readerFrozenMs) {
          this.close('takes nothing of the stream');
          return;
        }
        if (now - this.#heardAt > LIMITS.readerSilentMs) {
          this.close('answers no ping');
          return;
        }
        if (now - this.#pingedAt > LIMITS.pingMs) {
          this.#pingedAt = now;
          this.#write(pingRequest(now));
        }
        return;
      case 'closed':
        return;
    }
  }

  #contain(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (error instanceof RtmpViolation) this.close(error.message);
      else this.close(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }

  #data(bytes: Buffer): void {
    this.#heardAt = this.#host.now();
    this.#received += bytes.length;
    let rest = bytes;
    if (this.#role.is === 'handshaking') rest = this.#handshake(this.#role, rest);
    if (this.#role.is === 'greeting' && rest.length > 0) {
      const taken = Math.min(this.#role.left, rest.length);
      this.#role.left -= taken;
      rest = rest.subarray(taken);
      if (this.#role.left === 0) this.#role = { is: 'connected' };
    }
    if (rest.length > 0 && this.#role.is !== 'closed') this.#chunks.push(rest);
    if (this.#received - this.#acknowledged >= ACK_EVERY && this.#connectedApp && this.#isOpen()) {
      this.#acknowledged = this.#received;
      this.#protocol.acknowledge(this.#received);
    }
  }

  #isOpen(): boolean {
    return this.#role.is !== 'closed';
  }

  /** C0 is the version: 3. Everything else, the verbs of HTTP included, is not for us. Answers what is left. */
  #handshake(role: { bytes: Buffer[]; got: number }, bytes: Buffer): Buffer {
    if (role.got === 0 && bytes[0] !== 3) throw new RtmpViolation('it does not begin as RTMP does');
    const wanted = 1 + HANDSHAKE_BYTES;
    const taken = bytes.subarray(0, wanted - role.got);
    role.bytes.push(taken);
    role.got += taken.length;
    if (role.got < wanted) return Buffer.alloc(0);
    const c1 = Buffer.concat(role.bytes).subarray(1);
    this.#role = { is: 'greeting', left: HANDSHAKE_BYTES };
    this.#protocol.handshake(c1);
    return bytes.subarray(taken.length);
  }

  #receive(message: RtmpMessage): void {
    const role = this.#role;
    if (role.is === 'closed') return;
    switch (message.type) {
      case TYPE.command:
      case TYPE.commandAmf3:
        this.#command(readCommand(message));
        return;
      case TYPE.audio:
      case TYPE.video:
      case TYPE.data:
        if (role.is !== 'publishing') throw new RtmpViolation('it sends media without being the publisher');
        role.lastMedia = this.#host.now();
        role.path.take(message);
        return;
      default:
        // acknowledgements, pings' answers, bandwidth: nothing that changes what is sent. AMF3 data and aggregates: no encoder
        // that can be met sends them
        return;
    }
  }

  #command(command: Command): void {
    if (command.name === 'connect') {
      this.#connect(command);
      return;
    }
    if (!this.#connectedApp) throw new RtmpViolation(`${command.name} before connect`);
    switch (command.name) {
      case 'createStream':
        this.#protocol.createStream(command.transaction);
        return;
      case 'polite':
      case 'getStreamLength':
        this.#protocol.succeed(command.transaction);
        return;
      case 'publish':
        this.#publish(command);
        return;
      case 'play':
        this.#play(command);
        return;
      case 'leave':
        this.#release();
        return;
      case 'other':
        return;
    }
  }

  #connect(command: Extract<Command, { name: 'connect' }>): void {
    if (this.#connectedApp) throw new RtmpViolation('connects twice');
    if (command.app !== APP) {
      this.#protocol.refuseConnect(command.transaction, `There is no application but ${APP}.`);
      this.#endGently('it asked for an application that is not here');
      return;
    }
    this.#connectedApp = true;
    this.#client = command.client;
    this.#appQuery = command.query;
    this.#protocol.connect(command.transaction, APP);
  }

  #queryOf(query: Query): Query {
    return { key: query.key ?? this.#appQuery.key, own: query.own ?? this.#appQuery.own };
  }

  #publish({ key: name, streamId, query }: Extract<Command, { name: 'publish' | 'play' }>): void {
    this.#release();
    const asked = this.#queryOf(query);
    const key = this.#host.keyFor(name, asked);
    const refusal = this.#host.mayPublish(key, asked);
    if (refusal) {
      this.#refuse(streamId, refusal, key);
      return;
    }
    this.#protocol.publish(streamId, key);
    this.#chunks.mediaAllowed = true;
    const path = this.#host.publish(key, this);
    this.#asked = asked;
    this.#role = { is: 'publishing', key, path, streamId, own: this.#host.isOwn(asked), lastMedia: this.#host.now() };
    this.#host.log('opened', { address: this.#address, publishes: `/${APP}/${key}` });
    this.#host.changed();
  }

  #play({ key, streamId, query }: Extract<Command, { name: 'publish' | 'play' }>): void {
    this.#release();
    const asked = this.#queryOf(query);
    const refusal = this.#host.mayPlay(key, asked);
    if (refusal) {
      this.#refuse(streamId, refusal, key);
      return;
    }
    this.#protocol.play(streamId, key);
    const path = this.#host.play(key);
    const queue = new ReaderQueue(this.#sink(), () => this.#host.now());
    const reader: PathReader = {
      send: (message: Outgoing) => queue.push(message),
      restart: () => queue.restart(),
    };
    const now = this.#host.now();
    this.#role = { is: 'playing', key, path, reader, queue, streamId, own: this.#host.isOwn(asked), tookAt: now };
    this.#asked = asked;
    path.join(reader);
    this.#host.log('opened', { address: this.#address, plays: `/${APP}/${key}` });
    this.#host.changed();
  }

  #sink(): { write(bytes: Buffer): void; readonly pending: number } {
    const socket = this.#socket;
    const write = (bytes: Buffer): void => this.#write(bytes);
    return {
      write,
      get pending() {
        return socket.writableLength;
      },
    };
  }

  #drained(): void {
    if (this.#role.is !== 'playing') return;
    this.#role.queue.pump();
  }

  #refuse(streamId: number, { code, reason }: Refusal, key: string): void {
    this.#host.log('refused', { address: this.#address, path: `/${APP}/${key}`, reason });
    this.#protocol.status(streamId, 'error', code, reason);
    this.#endGently(reason);
  }

  /** What was said goes out first; what comes in is not read any more. */
  #endGently(reason: string): void {
    this.#release();
    this.#role = { is: 'closed' };
    this.#host.log('closed', { address: this.#address, reason });
    this.#socket.pause();
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
  }

  #write(bytes: Buffer): void {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    const { writableLength } = socket;
    if (this.#role.is !== 'playing' && writableLength > LIMITS.answerBytes) {
      this.close('takes no answers');
      return;
    }
    // from here on it can be said to take nothing
    if (this.#role.is === 'playing' && writableLength === 0) this.#role.tookAt = this.#host.now();
    this.#sent.addBytes(bytes.length);
    socket.write(bytes, () => {
      if (this.#role.is === 'playing') this.#role.tookAt = this.#host.now();
    });
  }

  /** Gives up publishing or playing; the connection may go on to something else. */
  #release(): void {
    const role = this.#role;
    if (role.is === 'publishing') {
      this.#chunks.mediaAllowed = false;
      this.#role = { is: 'connected' };
      this.#host.unpublish(role.key, this);
    } else if (role.is === 'playing') {
      role.path.leave(role.reader);
      this.#role = { is: 'connected' };
      this.#host.unplay(role.key);
    } else return;
    this.#openedAt = this.#host.now();
    this.#host.changed();
  }

  #leave(): void {
    this.#release();
    this.#role = { is: 'closed' };
    this.#host.changed();
  }
}
