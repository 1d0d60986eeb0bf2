import { beforeEach, expect, test } from 'vitest';
import { encodePreviewFrame } from '../../contract/preview.ts';
import { type Decoder, type DecoderEvents, FramePlayer } from './frame-player.ts';

class ScriptedDecoder implements Decoder {
  queued = 0;
  closed = false;
  readonly times: number[] = [];
  readonly codec: string;
  readonly events: DecoderEvents;
  constructor(codec: string, events: DecoderEvents) {
    this.codec = codec;
    this.events = events;
  }
  decode(frame: { timestampMicros: number }): void {
    this.times.push(frame.timestampMicros);
    this.queued++;
  }
  take(frames: number): void {
    this.queued -= frames;
    this.events.onTaken();
  }
  close(): void {
    this.closed = true;
  }
}

let decoders: ScriptedDecoder[];
let credit: number;
let states: string[];
let player: FramePlayer;
let refuseCodec: boolean;

beforeEach(() => {
  decoders = [];
  credit = 0;
  states = [];
  refuseCodec = false;
  player = new FramePlayer({
    createDecoder: (codec, events) => {
      if (refuseCodec) throw new Error('NotSupportedError');
      const decoder = new ScriptedDecoder(codec, events);
      decoders.push(decoder);
      return decoder;
    },
    credit: (frames) => (credit += frames),
    onState: (state) => states.push(state),
  });
});

type Kind = { key?: boolean; gap?: boolean; profile?: [number, number, number] };
const push = (time: number, { key = false, gap = false, profile = [0x42, 0xc0, 0x1f] }: Kind = {}): void =>
  player.push(
    encodePreviewFrame({
      keyframe: key,
      discontinuity: gap,
      profile,
      timestampMicros: time,
      width: 4,
      height: 4,
      data: new Uint8Array([0, 0, 1, 9]),
    }),
  );

test('starts at a keyframe and gives credit for what it dropped before', () => {
  push(1);
  push(2);
  expect([credit, decoders.length]).toEqual([2, 0]);
  push(3, { key: true });
  push(4);
  expect(decoders.map(({ codec, times }) => [codec, times])).toEqual([['avc1.42c01f', [3, 4]]]);
  expect(credit).toBe(2);
  decoders[0]?.take(2);
  expect(credit).toBe(4);
});

test('credit is given once, when the codec took the frame, not when its picture comes out', () => {
  push(1, { key: true });
  push(2);
  decoders[0]?.take(1);
  decoders[0]?.events.onTaken();
  expect(credit).toBe(1);
});

test('a gap starts afresh at its keyframe; without a keyframe it waits for one', () => {
  push(1, { key: true });
  push(9, { key: true, gap: true });
  expect(decoders.map(({ closed, times }) => [closed, times])).toEqual([
    [true, [1]],
    [false, [9]],
  ]);
  expect(credit).toBe(1);
  push(20, { gap: true });
  push(21);
  expect(credit).toBe(4);
  push(30, { key: true });
  expect(decoders.at(-1)?.times).toEqual([30]);
});

test('after a decoder error all frames are credited and the next keyframe plays; a late error of the old one is ignored', () => {
  push(1, { key: true });
  push(2);
  decoders[0]?.events.onError(new Error('EncodingError'));
  expect([credit, states.at(-1)]).toEqual([2, 'failed']);
  push(3);
  push(4, { key: true });
  decoders[0]?.events.onError(new Error('again'));
  expect([states.at(-1), decoders[1]?.closed]).toEqual(['playing', false]);
  expect(credit).toBe(3);
});

test('an unsupported codec is a state, not an exception, and starves nobody of credit', () => {
  refuseCodec = true;
  push(1, { key: true });
  push(2);
  expect([states.at(-1), credit]).toEqual(['failed', 2]);
});

test('another codec means another decoder', () => {
  push(1, { key: true });
  push(2, { key: true });
  push(3, { key: true, profile: [0x64, 0, 0x28] });
  expect(decoders.map(({ codec }) => codec)).toEqual(['avc1.42c01f', 'avc1.640028']);
});

test('pause closes the decoder and credits what it held; what is not a frame is credited and ignored', () => {
  push(1, { key: true });
  player.pause();
  expect([credit, decoders[0]?.closed, states.at(-1)]).toEqual([1, true, 'paused']);
  player.push(new Uint8Array([1, 2, 3]));
  expect(credit).toBe(2);
});
