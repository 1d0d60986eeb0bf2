import { describe, expect, it } from 'vitest';
import { TS_PACKET_BYTES, payloadUnitStarts, pidOf } from '../transport/packet.ts';
import { ReplayRing } from './ring.ts';
import { fixture } from './testing/ring.ts';

/** Transport packets of each video PES packet, in order (the fixture's video is PID 0x100, ffmpeg's first). */
function videoPackets(bytes: Uint8Array): number[] {
  const counts: number[] = [];
  for (let p = 0; p + TS_PACKET_BYTES <= bytes.length; p += TS_PACKET_BYTES) {
    if (pidOf(bytes, p) !== 0x100) continue;
    if (payloadUnitStarts(bytes, p)) counts.push(0);
    counts.push((counts.pop() ?? 0) + 1);
  }
  return counts;
}

describe('an input that ends anywhere between two packets', () => {
  // a sender killed in mid-picture ends its pipe just like one that has finished; this fixture's pictures do not tell their length
  const whole = fixture('hevc-bframes.ts');
  const pictures = videoPackets(whole);

  it('never leaves half a picture at the end of what is held', () => {
    expect(pictures.length).toBeGreaterThan(10);
    const kept = new Set<number>();
    for (let end = TS_PACKET_BYTES * 20; end <= whole.length; end += TS_PACKET_BYTES) {
      const ring = new ReplayRing({ maxBytes: 16 * 1024 * 1024, maxSeconds: 60 });
      ring.beginEpoch({ sourceName: 'fixture' });
      ring.write(whole.subarray(0, end));
      ring.endInput();
      for (const snapshot of ring.snapshot('all')) {
        const held = videoPackets(Buffer.concat([...snapshot.chunks()]));
        snapshot.release();
        expect(held).toEqual(pictures.slice(0, held.length));
        kept.add(held.length);
      }
    }
    // and what was proven whole is kept: the last picture of the file too
    expect(Math.max(...kept)).toBe(pictures.length);
  });
});
