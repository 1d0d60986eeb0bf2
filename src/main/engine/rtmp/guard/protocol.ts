import amf from 'node-media-server/src/protocol/amf.js';
import Rtmp from 'node-media-server/src/protocol/rtmp.js';
import { TYPE, writeMessage } from './chunks.ts';

const HANDSHAKE_BYTES = 1536;
const CONTROL = 2;
const INVOKE = 3;
/** user control events (RTMP specification 1.0, section 7.1.7) */
const PING_REQUEST = 6;
const STREAM_EOF = 1;
const IN_CHUNK_BYTES = 128;

/**
 * node-media-server's protocol code for one connection, kept behind glass: it answers handshake and commands, and never sees a byte that
 * came from the network except the handshake's random ones. Of 14 malformed inputs 10 end the process it runs in (measured); here it is
 * given only messages we built ourselves from what was read and checked. Media does not go through it at all.
 */
export class Protocol {
  readonly #rtmp = new Rtmp();

  constructor(write: (bytes: Buffer) => void) {
    this.#rtmp.onOutputCallback = write;
  }

  /** C0 and C1 in, S0, S1 and S2 out. `c1`: 1536 bytes. */
  handshake(c1: Buffer): void {
    this.#rtmp.parserData(Buffer.concat([Buffer.from([3]), c1]));
    // C2 says nothing that anyone checks
    this.#rtmp.parserData(Buffer.alloc(HANDSHAKE_BYTES));
  }

  connect(transaction: number, app: string): void {
    this.#feed(0, {
      cmd: 'connect',
      transId: transaction,
      cmdObj: { app, tcUrl: `rtmp://127.0.0.1/${app}`, objectEncoding: 0 },
    });
  }

  createStream(transaction: number): void {
    this.#feed(0, { cmd: 'createStream', transId: transaction, cmdObj: null });
  }

  publish(streamId: number, key: string): void {
    this.#feed(streamId, { cmd: 'publish', transId: 0, cmdObj: null, streamName: key, type: 'live' });
  }

  play(streamId: number, key: string): void {
    this.#feed(streamId, { cmd: 'play', transId: 0, cmdObj: null, streamName: key });
  }

  /** A refusal, or news, about a stream. */
  status(streamId: number, level: 'status' | 'error', code: string, description: string): void {
    this.#rtmp.sendStatusMessage(streamId, level, code, description);
  }

  /** `_result` without content. */
  succeed(transaction: number): void {
    this.#rtmp.sendInvokeMessage(0, { cmd: '_result', transId: transaction, cmdObj: null, info: null });
  }

  refuseConnect(transaction: number, description: string): void {
    this.#rtmp.sendInvokeMessage(0, {
      cmd: '_error',
      transId: transaction,
      cmdObj: null,
      info: { level: 'error', code: 'NetConnection.Connect.Rejected', description },
    });
  }

  acknowledge(bytes: number): void {
    this.#rtmp.sendACK(bytes % 2 ** 32);
  }

  endOfStream(streamId: number): void {
    this.#rtmp.sendStreamStatus(STREAM_EOF, streamId);
  }

  #feed(streamId: number, command: Readonly<Record<string, unknown>>): void {
    const payload = amf.encodeAmf0Cmd(command);
    this.#rtmp.parserData(
      writeMessage({ type: TYPE.command, streamId, timestamp: 0, payload }, INVOKE, IN_CHUNK_BYTES),
    );
  }
}

/** A ping request; `time` ms. */
export function pingRequest(time: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(PING_REQUEST, 0);
  payload.writeUInt32BE(Math.floor(time) % 2 ** 32, 2);
  return writeMessage({ type: TYPE.userControl, streamId: 0, timestamp: 0, payload }, CONTROL);
}
