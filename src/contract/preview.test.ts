import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avcCodecString, decodePreviewFrame, encodePreviewFrame } from './preview.ts';

const byte = fc.integer({ min: 0, max: 255 });
const frame = fc.record({
  keyframe: fc.boolean(),
  discontinuity: fc.boolean(),
  profile: fc.tuple(byte, byte, byte),
  timestampMicros: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  width: fc.integer({ min: 0, max: 65_535 }),
  height: fc.integer({ min: 0, max: 65_535 }),
  data: fc.uint8Array({ minLength: 1, maxLength: 64 }),
});

describe('preview frames', () => {
  it('survive the way through bytes, also inside a larger buffer', () => {
    fc.assert(
      fc.property(frame, fc.integer({ min: 0, max: 9 }), (original, offset) => {
        const encoded = encodePreviewFrame(original);
        const larger = new Uint8Array(encoded.length + offset);
        larger.set(encoded, offset);
        expect(decodePreviewFrame(larger.subarray(offset))).toEqual(original);
      }),
    );
  });

  it('refuse anything else without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const decoded = decodePreviewFrame(bytes);
        expect(decoded === undefined || (bytes[0] === 1 && bytes.length > 20)).toBe(true);
      }),
    );
  });

  it('give a codec string of two hex digits per byte', () => {
    expect(avcCodecString([0x42, 0xc0, 0x0a])).toBe('avc1.42c00a');
  });
});
