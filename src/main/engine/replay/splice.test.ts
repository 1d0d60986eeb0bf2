import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyPesHeader, readPesHeader } from '../transport/pes.ts';
import { payloadStart, payloadUnitStarts, pidOf } from '../transport/packet.ts';
import { shiftTimes } from './splice.ts';
import { fixture } from './testing/ring.ts';
import { StreamBuilder } from './testing/stream.ts';

const WRAP = 2 ** 33;
const header = emptyPesHeader();

/** The PES times of the packet at `p`, null without. */
function pesTimes(buf: Uint8Array, p: number): [number, number] | null {
  if (!payloadUnitStarts(buf, p)) return null;
  const from = p + payloadStart(buf, p);
  return readPesHeader(buf, from, p + 188, header) ? [header.pts, header.dts] : null;
}

/** PCR as 13818-1 section 2.4.3.5 writes it: a 33-bit base and a 9-bit extension. */
function pcr(buf: Uint8Array, p: number): { base: number; extension: number } | null {
  if (((buf[p + 3] ?? 0) & 0x20) === 0 || (buf[p + 4] ?? 0) === 0 || ((buf[p + 5] ?? 0) & 0x10) === 0) return null;
  const bits = [...buf.subarray(p + 6, p + 12)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return { base: parseInt(bits.slice(0, 33), 2), extension: parseInt(bits.slice(39), 2) };
}

describe('shifted timestamps', () => {
  it('are the old ones plus the shift on the 33-bit circle, and nothing else changes', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: WRAP - 1 }),
        fc.nat({ max: 900_000 }),
        fc.integer({ min: -WRAP * 3, max: WRAP * 3 }),
        (dts, delay, shift) => {
          const packet = new StreamBuilder().videoPackets({ key: true, pts: dts + delay, dts })[0];
          if (!packet) throw new Error('no packet');
          const shifted = Uint8Array.from(packet);
          shiftTimes(shifted, 0, shift);
          const wrap = (ticks: number): number => ((ticks % WRAP) + WRAP) % WRAP;
          expect(pesTimes(shifted, 0)).toEqual([wrap(dts + delay + shift), wrap(dts + shift)]);
          shiftTimes(shifted, 0, -shift);
          expect(shifted).toEqual(packet);
        },
      ),
    );
  });

  it.each(['h264-aac.ts', 'hevc-bframes.ts'])('in %s: clocks too, their extensions kept, and back again', (name) => {
    const input = fixture(name);
    const output = Uint8Array.from(input);
    const shift = 2 ** 32 + 12_345;
    let [times, clocks] = [0, 0];
    for (let p = 0; p < input.length; p += 188) {
      shiftTimes(output, p, shift);
      const [before, after] = [pcr(input, p), pcr(output, p)];
      expect(after).toEqual(before && { ...before, base: (before.base + shift) % WRAP });
      const [old, now] = [pesTimes(input, p), pesTimes(output, p)];
      if (pidOf(input, p) >= 0x100 && old) expect(now).toEqual(old.map((ticks) => (ticks + shift) % WRAP));
      if (before) clocks += 1;
      if (old) times += 1;
    }
    expect(clocks).toBeGreaterThan(10);
    expect(times).toBeGreaterThan(50);
    for (let p = 0; p < input.length; p += 188) shiftTimes(output, p, -shift);
    expect(Buffer.compare(output, input)).toBe(0);
  });

  it('never reach outside the packet, whatever is in it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 188, maxLength: 188 }), fc.integer(), (packet, shift) => {
        const buf = new Uint8Array(188 * 3).fill(0x11);
        buf.set(packet, 188);
        buf[188] = 0x47;
        shiftTimes(buf, 188, shift);
        expect(buf.subarray(0, 188).every((byte) => byte === 0x11)).toBe(true);
        expect(buf.subarray(376).every((byte) => byte === 0x11)).toBe(true);
      }),
    );
  });
});
