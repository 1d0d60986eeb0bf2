/**
 * The chunk stream (Adobe RTMP specification 1.0, section 5.3). Pure: bytes in, whole messages out; everything a sender can choose is
 * bounded before it is believed. Memory grows with what was really received, never with what a header announces.
 */
import { LIMITS, RtmpViolation } from './limits.ts';

/** Message type ids (sections 5.4 and 7.1). */
export const TYPE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgement: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  commandAmf3: 17,
  data: 18,
  command: 20,
  aggregate: 22,
} as const;

export type RtmpMessage = {
  type: number;
  streamId: number;
  /** milliseconds, modulo 2^32 */
  timestamp: number;
  /** its own bytes, shared with nobody */
  payload: Buffer;
};

type Assembly = {
  timestamp: number;
  /** the 24 bit field, or the extended one: absolute after a type 0 header, a difference after types 1 and 2 */
  field: number;
  extended: boolean;
  length: number;
  type: number;
  streamId: number;
  payload: Buffer | undefined;
  filled: number;
};

const HEADER_BYTES = [11, 7, 3, 0] as const;
const EXTENDED = 0xff_ff_ff;
const FIRST_ALLOCATION = 64 * 1024;

const limitOf = (type: number): number =>
  type === TYPE.audio || type === TYPE.video || type === TYPE.aggregate
    ? LIMITS.mediaBytes
    : type <= TYPE.setPeerBandwidth
      ? 64
      : LIMITS.commandBytes;

/** Reassembles messages. Feed it what arrives, in order; `push` throws `RtmpViolation`, after which it must not be used. */
export class ChunkReader {
  readonly #streams = new Map<number, Assembly>();
  readonly #onMessage: (message: RtmpMessage) => void;
  #chunkSize = 128;
  #header = Buffer.alloc(18);
  #headerFilled = 0;
  #current: { stream: Assembly; left: number } | undefined;
  #held = 0;
  /** only a publisher may have large messages under way */
  mediaAllowed = false;

  constructor(onMessage: (message: RtmpMessage) => void) {
    this.#onMessage = onMessage;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length || this.#current?.left === 0) {
      if (!this.#current) {
        const byte = bytes[at];
        if (byte === undefined) return;
        at += 1;
        this.#header[this.#headerFilled++] = byte;
        if (this.#headerFilled >= this.#headerBytes()) this.#beginChunk();
        continue;
      }
      at += this.#take(this.#current, bytes, at);
    }
  }

  /** How long the header under way is, as far as it can be told. */
  #headerBytes(): number {
    const first = this.#header[0] ?? 0;
    const basic = basicBytes(first);
    const fmt = first >> 6;
    if (this.#headerFilled < basic) return basic;
    const plain = basic + (HEADER_BYTES[fmt] ?? 0);
    if (this.#headerFilled < plain) return plain;
    const extended =
      fmt === 3
        ? (this.#streams.get(chunkStreamId(this.#header, basic))?.extended ?? false)
        : this.#header.readUIntBE(basic, 3) === EXTENDED;
    return plain + (extended ? 4 : 0);
  }

  #beginChunk(): void {
    const header = this.#header;
    const first = header[0] ?? 0;
    const basic = basicBytes(first);
    const fmt = first >> 6;
    const id = chunkStreamId(header, basic);
    const filled = this.#headerFilled;
    this.#headerFilled = 0;
    let stream = this.#streams.get(id);
    if (!stream) {
      if (fmt !== 0) throw new RtmpViolation(`chunk stream ${id} begins without a whole header`);
      if (this.#streams.size >= LIMITS.chunkStreams) throw new RtmpViolation('too many chunk streams');
      stream = {
        timestamp: 0,
        field: 0,
        extended: false,
        length: 0,
        type: 0,
        streamId: 0,
        payload: undefined,
        filled: 0,
      };
      this.#streams.set(id, stream);
    }
    const under = stream.payload !== undefined;
    if (under && fmt !== 3) throw new RtmpViolation('a message was not finished before the next one');
    if (fmt <= 2) {
      const field = header.readUIntBE(basic, 3);
      stream.extended = field === EXTENDED;
      stream.field = stream.extended ? header.readUInt32BE(filled - 4) : field;
    }
    if (fmt <= 1) {
      stream.length = header.readUIntBE(basic + 3, 3);
      stream.type = header[basic + 6] ?? 0;
    }
    if (fmt === 0) stream.streamId = header.readUInt32LE(basic + 7);
    if (!under) this.#beginMessage(stream, fmt);
    this.#current = { stream, left: Math.min(this.#chunkSize, stream.length - stream.filled) };
  }

  #beginMessage(stream: Assembly, fmt: number): void {
    stream.timestamp = fmt === 0 ? stream.field : (stream.timestamp + stream.field) % 2 ** 32;
    const limit = this.mediaAllowed ? limitOf(stream.type) : Math.min(limitOf(stream.type), LIMITS.commandBytes);
    if (stream.length > limit) throw new RtmpViolation(`a message of ${stream.length} bytes and type ${stream.type}`);
    stream.payload = Buffer.allocUnsafeSlow(Math.min(stream.length, FIRST_ALLOCATION));
    stream.filled = 0;
    this.#hold(stream.payload.length);
  }

  #take(current: { stream: Assembly; left: number }, bytes: Buffer, at: number): number {
    const { stream } = current;
    const taken = Math.min(current.left, bytes.length - at);
    if (taken > 0) {
      let payload = stream.payload ?? Buffer.alloc(0);
      if (stream.filled + taken > payload.length) {
        const grown = Buffer.allocUnsafeSlow(
          Math.min(stream.length, Math.max(payload.length * 4, stream.filled + taken)),
        );
        payload.copy(grown, 0, 0, stream.filled);
        this.#hold(grown.length - payload.length);
        payload = grown;
        stream.payload = grown;
      }
      bytes.copy(payload, stream.filled, at, at + taken);
      stream.filled += taken;
      current.left -= taken;
    }
    if (current.left > 0) return taken;
    this.#current = undefined;
    if (stream.filled >= stream.length) this.#finish(stream);
    return taken;
  }

  #finish(stream: Assembly): void {
    const payload = stream.payload ?? Buffer.alloc(0);
    this.#held -= payload.length;
    stream.payload = undefined;
    stream.filled = 0;
    const { type, streamId, timestamp } = stream;
    if (type === TYPE.setChunkSize) this.#setChunkSize(payload);
    else if (type === TYPE.abort) this.#abort(payload);
    else this.#onMessage({ type, streamId, timestamp, payload });
  }

  #setChunkSize(payload: Buffer): void {
    if (payload.length < 4) throw new RtmpViolation('a chunk size without its bytes');
    const size = payload.readUInt32BE();
    const { min, max } = LIMITS.chunkBytes;
    if (size < min || size > max) throw new RtmpViolation(`a chunk size of ${size}`);
    this.#chunkSize = size;
  }

  #abort(payload: Buffer): void {
    if (payload.length < 4) throw new RtmpViolation('an abort without its bytes');
    const stream = this.#streams.get(payload.readUInt32BE());
    if (!stream?.payload) return;
    this.#held -= stream.payload.length;
    stream.payload = undefined;
    stream.filled = 0;
  }

  #hold(bytes: number): void {
    this.#held += bytes;
    if (this.#held > LIMITS.mediaBytes + 1024 * 1024) throw new RtmpViolation('too much is begun at once');
  }
}

const basicBytes = (first: number): number => ((first & 0x3f) === 0 ? 2 : (first & 0x3f) === 1 ? 3 : 1);

const chunkStreamId = (header: Buffer, basic: number): number => {
  if (basic === 1) return (header[0] ?? 0) & 0x3f;
  const low = header[1] ?? 0;
  return basic === 2 ? 64 + low : 64 + low + (header[2] ?? 0) * 256;
};

/** The chunk size node-media-server announces to its clients: what we send is cut by it. */
const OUT_CHUNK_BYTES = 0xffff;

/** One message in chunks: a type 0 header, then type 3 ones. `chunkStream` 2 to 63; `timestamp` is taken modulo 2^32. */
export function writeMessage(
  { type, streamId, timestamp, payload }: RtmpMessage,
  chunkStream: number,
  chunkBytes = OUT_CHUNK_BYTES,
): Buffer {
  const time = ((timestamp % 2 ** 32) + 2 ** 32) % 2 ** 32;
  const extended = time >= EXTENDED;
  const more = Math.max(0, Math.ceil(payload.length / chunkBytes) - 1);
  const between = 1 + (extended ? 4 : 0);
  const out = Buffer.allocUnsafeSlow(12 + (extended ? 4 : 0) + payload.length + more * between);
  out[0] = chunkStream;
  out.writeUIntBE(extended ? EXTENDED : time, 1, 3);
  out.writeUIntBE(payload.length, 4, 3);
  out[7] = type;
  out.writeUInt32LE(streamId, 8);
  let at = 12;
  if (extended) at = out.writeUInt32BE(time, at);
  for (let from = 0; from < payload.length; from += chunkBytes) {
    if (from > 0) {
      out[at++] = 0xc0 | chunkStream;
      if (extended) at = out.writeUInt32BE(time, at);
    }
    at += payload.copy(out, at, from, from + chunkBytes);
  }
  return out;
}
