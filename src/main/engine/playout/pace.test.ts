import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shiftTimes } from '../replay/splice.ts';
import { StreamBuilder } from '../replay/testing/stream.ts';
import { fixture } from '../replay/testing/ring.ts';
import { TS_PACKET_BYTES } from '../transport/packet.ts';
import { PictureTimes, earliestTime } from './pace.ts';
import { playSeconds } from './route.ts';

const WRAP = 2 ** 33;
const pictures = (count: number, from: number): Uint8Array =>
  new StreamBuilder().run(count, { from, size: 400 }).take();

describe('earliestTime', () => {
  it('is the clock where the stream has one ahead of its pictures, and zero after the shift', () => {
    // ffmpeg's clock begins at zero, 1.4 s before its pictures
    const bytes = Uint8Array.from(fixture('h264-aac.ts'));
    for (let p = 0; p < bytes.length; p += TS_PACKET_BYTES) shiftTimes(bytes, p, -1000);
    const zero = earliestTime(bytes);
    expect(zero).toBe(WRAP - 1000);
    for (let p = 0; p < bytes.length; p += TS_PACKET_BYTES) shiftTimes(bytes, p, -zero);
    expect(earliestTime(bytes)).toBe(0);
  });

  it('looks across a wrap of the 33 bits', () => {
    expect(earliestTime(pictures(10, WRAP - 9000))).toBe(WRAP - 9000);
    expect(earliestTime(new Uint8Array(0))).toBe(0);
  });
});

describe('PictureTimes', () => {
  it('lets every byte out once, in order, no picture before its time, wherever the stream is cut or wraps', () => {
    const cases = fc.record({
      from: fc.constantFrom(0, 126_000, WRAP - 30_000),
      cut: fc.integer({ min: 1, max: 60 }),
      lead: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(cases, ({ from, cut, lead }) => {
        const bytes = pictures(60, from);
        const times = new PictureTimes();
        let [now, sent] = [0, 0];
        for (let start = 0; start < bytes.length; start += cut * TS_PACKET_BYTES) {
          const packets = bytes.subarray(start, start + cut * TS_PACKET_BYTES);
          for (let at = 0; at < packets.length;) {
            const { end, due } = times.reach(packets, at, now + lead);
            sent += end - at;
            at = end;
            if (at === packets.length) continue;
            expect(due).toBeGreaterThan(now + lead);
            now = due - lead + 1e-9;
          }
        }
        expect(sent).toBe(bytes.length);
        // the last of 60 pictures is due 59 intervals after the first
        expect(Math.max(now + lead, 0)).toBeCloseTo(Math.max(59 / 30, lead), 6);
      }),
      { numRuns: 60 },
    );
  });

  it('does not wait for a jump in time', () => {
    const bytes = new StreamBuilder()
      .run(2)
      .run(2, { from: 90_000 * 3600 })
      .take();
    expect(new PictureTimes().reach(bytes, 0, 0.2).end).toBe(bytes.length);
  });
});

describe('playSeconds', () => {
  it('takes one number', () => {
    expect(playSeconds(new URLSearchParams(''))).toBeUndefined();
    expect(playSeconds(new URLSearchParams('seconds=2.5'))).toBe(2.5);
  });

  it.each(['seconds=', 'seconds=0', 'seconds=-1', 'seconds=1e3', 'seconds=99999', 'seconds=1&seconds=2', 'a=1'])(
    'refuses %s',
    (query) => expect(() => playSeconds(new URLSearchParams(query))).toThrow(/seconds/),
  );
});
