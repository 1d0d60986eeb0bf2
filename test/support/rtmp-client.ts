import { once } from 'node:events';
import net from 'node:net';
import { ChunkReader, writeMessage, type RtmpMessage } from '../../src/main/engine/rtmp/guard/chunks.ts';
import { until } from './wait.ts';

/** An AMF0 value to send: what is not in JavaScript's own types is given as its bytes. */
export type Amf = string | number | boolean | null | Buffer | { readonly [name: string]: Amf };

const withLength = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

/** Values in AMF0, one after the other. */
export function amf0(...values: readonly Amf[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      if (Buffer.isBuffer(value)) return value;
      if (value === null) return Buffer.from([0x05]);
      if (typeof value === 'boolean') return Buffer.from([0x01, value ? 1 : 0]);
      if (typeof value === 'string') return Buffer.concat([Buffer.from([0x02]), withLength(value)]);
      if (typeof value === 'number') {
        const bytes = Buffer.alloc(9);
        bytes.writeDoubleBE(value, 1);
        return bytes;
      }
      const members = Object.entries(value).flatMap(([name, member]) => [withLength(name), amf0(member)]);
      return Buffer.concat([Buffer.from([0x03]), ...members, Buffer.from([0, 0, 9])]);
    }),
  );
}

export const MESSAGE = { audio: 8, video: 9, data: 18, command: 20 } as const;
const CHUNK_BYTES = 128;

/** A message as a client sends it: chunks of 128 bytes, each kind on a chunk stream of its own. */
export const message = (type: number, payload: Buffer, timestamp = 0, streamId = 1): Buffer =>
  writeMessage({ type, streamId, timestamp, payload }, type === MESSAGE.command ? 3 : type, CHUNK_BYTES);

export const command = (name: string, transaction: number, ...rest: readonly Amf[]): Buffer =>
  message(MESSAGE.command, amf0(name, transaction, ...rest), 0, name === 'connect' ? 0 : 1);

export const HELLO = Buffer.concat([Buffer.from([3]), Buffer.alloc(1536, 7)]);
const C2 = Buffer.alloc(1536, 9);

/** A raw connection to an RTMP server, from its handshake on made of whatever bytes a test wants. */
export class RtmpClient {
  readonly socket: net.Socket;
  /** everything received after the handshake, oldest first, unless `onMessage` is set */
  readonly messages: RtmpMessage[] = [];
  receivedBytes = 0;
  closed = false;
  onMessage: (message: RtmpMessage) => void = (received) => this.messages.push(received);
  readonly #chunks = new ChunkReader((received) => this.#take(received));
  #handshake = 1 + 2 * 1536;

  constructor(socket: net.Socket) {
    this.socket = socket;
    this.#chunks.mediaAllowed = true;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.receivedBytes += bytes.length;
      const skip = Math.min(this.#handshake, bytes.length);
      this.#handshake -= skip;
      if (skip < bytes.length) this.#chunks.push(bytes.subarray(skip));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => (this.closed = true));
  }

  /** A connected socket, nothing sent yet. */
  static async open(port: number): Promise<RtmpClient> {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RtmpClient(socket);
  }

  /** Handshake, connect and createStream. */
  static async connected(port: number, app = 'live', client = 'test/1'): Promise<RtmpClient> {
    const one = await RtmpClient.open(port);
    one.send(HELLO, C2);
    one.send(command('connect', 1, { app, flashVer: client, tcUrl: `rtmp://127.0.0.1/${app}` }));
    one.send(command('createStream', 2, null));
    await one.answered('_result', 'a stream');
    return one;
  }

  /** Resolves once it may send; `name` may have a query. Errors: after 5 s, or when it is refused. */
  static async publisher(port: number, name: string): Promise<RtmpClient> {
    const one = await RtmpClient.connected(port);
    one.send(command('publish', 3, null, name, 'live'));
    await one.status('NetStream.Publish.Start');
    return one;
  }

  static async player(port: number, name: string): Promise<RtmpClient> {
    const one = await RtmpClient.connected(port);
    one.send(command('play', 3, null, name));
    await one.status('NetStream.Play.Start');
    return one;
  }

  send(...bytes: readonly Buffer[]): void {
    for (const part of bytes) if (!this.socket.destroyed) this.socket.write(part);
  }

  sendMedia(type: number, timestamp: number, payload: Buffer): void {
    this.send(message(type, payload, timestamp));
  }

  get media(): RtmpMessage[] {
    return this.messages.filter(({ type }) => type === MESSAGE.audio || type === MESSAGE.video);
  }

  /** Resolves once the server said this. */
  async status(code: string, ms = 5000): Promise<void> {
    await this.answered(code, code, ms);
  }

  async answered(text: string, what: string, ms = 5000): Promise<void> {
    await until(what, ms, () => this.said(text));
  }

  said(text: string): boolean {
    return this.messages.some(({ type, payload }) => type === MESSAGE.command && payload.includes(text));
  }

  /** Resolves once the server ended the connection. */
  async ended(ms = 5000): Promise<void> {
    await until('the server to end the connection', ms, () => this.closed);
  }

  end(): void {
    this.socket.destroy();
  }

  #take(received: RtmpMessage): void {
    const { type, payload } = received;
    // a ping (user control event 6) is answered (7), else the server takes the connection for dead after a minute
    if (type === 4 && payload.length === 6 && payload.readUInt16BE(0) === 6)
      this.send(message(4, Buffer.concat([Buffer.from([0, 7]), payload.subarray(2)]), 0, 0));
    this.onMessage(received);
  }
}

// what encoders send, made by hand after the FLV specification (Annex E); the pictures are filled with `mark`

export const AVC_HEADER = Buffer.from('17000000000142c01effe1000467420a1e01000468ce3c80', 'hex');
export const AAC_HEADER = Buffer.from('af001190', 'hex');

export function picture(keyframe: boolean, bytes: number, mark = 0x55): Buffer {
  const payload = Buffer.alloc(Math.max(bytes, 9), mark);
  payload.set([keyframe ? 0x17 : 0x27, 1, 0, 0, 0]);
  return payload;
}

export const sound = (bytes = 200, mark = 0x33): Buffer =>
  Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(bytes, mark)]);

export const metadata = (width: number, height: number): Buffer =>
  amf0('@setDataFrame', 'onMetaData', { width, height, videocodecid: 7 });

/** Metadata and both headers, as encoders begin. */
export function begin(publisher: RtmpClient, width = 640, height = 360): void {
  publisher.sendMedia(MESSAGE.data, 0, metadata(width, height));
  publisher.sendMedia(MESSAGE.video, 0, AVC_HEADER);
  publisher.sendMedia(MESSAGE.audio, 0, AAC_HEADER);
}
