import { describe, expect, it } from 'vitest';
import { StreamBuilder } from '../replay/testing/stream.ts';
import { relayArgs, soundOf } from './relay-args.ts';

const streamOf = (...types: number[]): Uint8Array =>
  new StreamBuilder().psi(types.map((type, i) => ({ pid: 0x100 + i, type }))).take();

describe('soundOf', () => {
  it.each([
    [[0x1b, 0x0f], 'aac'],
    [[0x1b, 0x03], 'other'],
    [[0x1b], 'none'],
    // private data is not known to be sound
    [[0x1b, 0x06], 'none'],
  ] as const)('of the types %j is %s', (types, sound) => expect(soundOf(streamOf(...types))).toBe(sound));

  it('of what is no stream is none', () => expect(soundOf(new Uint8Array(188 * 5))).toBe('none'));
});

describe('relayArgs', () => {
  it('copies what FLV takes, encodes other sound, adds silence where there is none', () => {
    const [aac, other, none] = (['aac', 'other', 'none'] as const).map((sound) =>
      relayArgs('rtmp://x', sound).join(' '),
    );
    for (const args of [aac, other, none]) expect(args).toMatch(/-i pipe:0 .*-c:v copy .*-f flv rtmp:\/\/x$/);
    expect(aac).toContain('-map 0:a:0 -c:v copy -c:a copy');
    expect(other).toContain('-map 0:a:0 -c:v copy -c:a aac');
    expect(none).toMatch(/-re -f lavfi -i anullsrc.*-map 1:a:0 .*-c:a aac/);
  });
});
