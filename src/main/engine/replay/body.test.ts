import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ticksBetween } from '../transport/timestamps.ts';
import type { Body } from './body.ts';
import type { ReplayRing } from './ring.ts';
import { demux } from './testing/demux.ts';
import { fixture, ringOf, runs } from './testing/ring.ts';
import { AUDIO_PID, StreamBuilder, VIDEO_PID, joined } from './testing/stream.ts';

const copied = function* (chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const chunk of chunks) yield Uint8Array.from(chunk);
};
const read = (body: Body, from = 0, to = body.size): Uint8Array => joined(copied(body.read(from, to)));

function bodyOf(ring: ReplayRing, seconds?: number): Body {
  const body = ring.body(seconds === undefined ? 'all' : { lastSeconds: seconds });
  if (!body) throw new Error('no body');
  return body;
}

/** Epochs with clocks and continuity counters of their own, sound late and cut by both ends; `told` PES lengths or not. */
function epochs(ring: ReplayRing, count: number, { told = true, pictures = 40, torn = 0 } = {}): void {
  for (let e = 0; e < count; e += 1) {
    ring.beginEpoch({ sourceName: `epoch ${e}` });
    const stream = new StreamBuilder();
    for (let i = 0; i < e * 3; i += 1)
      stream
        .psi()
        .video({ pts: 0 })
        .packets(...stream.audioPackets(0, 300));
    stream.take();
    for (let i = 0; i < pictures; i += 1) {
      const pts = 2 ** 33 - 50_000 + e * 7_000_000 + i * 3000;
      if (i % 10 === 0) stream.psi();
      const [head, ...rest] = i % 3 === 0 ? stream.audioPackets(pts - 18_000, 500) : [];
      if (head) stream.packets(head);
      stream.video({ key: i % 10 === 0, pts, told, size: 400 + i });
      stream.packets(...rest);
    }
    const bytes = stream.take();
    ring.write(bytes.subarray(0, bytes.length - torn));
  }
}

describe('a body', () => {
  it('is whole pictures in order on one timeline over epochs', () => {
    for (const told of [true, false]) {
      const { ring } = ringOf();
      epochs(ring, 4, { told, torn: 188 * 2 + 10 });
      const body = bodyOf(ring);
      const all = demux(read(body));
      for (const pid of [VIDEO_PID, AUDIO_PID]) {
        const own = all.filter((pes) => pes.pid === pid);
        expect(own.length).toBeGreaterThan(pid === VIDEO_PID ? 140 : 20);
        own.reduce((a, b) => {
          expect(ticksBetween(a.dts, b.dts), `${a.dts} ${b.dts}`).toBeGreaterThan(0);
          return b;
        });
      }
      expect(body.seconds).toBeCloseTo(ring.status().secondsHeld, 5);
      expect(read(body).length).toBe(body.size);
    }
  });

  it('answers any range with exactly those bytes, also after more came', () => {
    const { ring } = ringOf();
    epochs(ring, 3);
    const body = bodyOf(ring);
    const whole = read(body);
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.nat({ max: whole.length - 1 }), (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b) + 1];
        expect(Buffer.compare(read(body, from, to), whole.subarray(from, to))).toBe(0);
      }),
      { numRuns: runs * 5 },
    );
    epochs(ring, 2);
    expect(Buffer.compare(read(body), whole)).toBe(0);
    expect(bodyOf(ring).size).toBeGreaterThan(body.size);
  });

  it('of the newest seconds begins at the keyframe before them', () => {
    const { ring } = ringOf();
    epochs(ring, 2, { pictures: 100 });
    const first = demux(read(bodyOf(ring, 1))).find(({ pid }) => pid === VIDEO_PID);
    const body = bodyOf(ring, 1);
    expect(body.seconds).toBeGreaterThanOrEqual(1);
    expect(body.seconds).toBeLessThanOrEqual(1 + 10 / 30);
    expect(first?.pts).toBe((2 ** 33 - 50_000 + 7_000_000 + 70 * 3000) % 2 ** 33);
    expect(bodyOf(ring, 5).seconds).toBeGreaterThanOrEqual(5);
  });

  it('holds what the newest source has in common with those before it', () => {
    const { ring } = ringOf();
    ring.write(fixture('h264-aac.ts'));
    ring.beginEpoch({ sourceName: 'hevc' });
    ring.write(fixture('hevc-bframes.ts'));
    ring.endInput();
    const all = demux(read(bodyOf(ring)));
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
    expect(bodyOf(ring).seconds).toBeLessThan(2.5);
  });

  it('is gone where the ring moved on, and held where not; a reader in it is told, and what it was given stays intact', () => {
    const { ring } = ringOf({ maxBytes: 400_000 });
    const stream = new StreamBuilder();
    ring.write(stream.run(200, { gop: 10, size: 1000 }).take());
    const body = bodyOf(ring);
    const whole = read(body);
    const reading = body.read(0, body.size, 30_000);
    reading.next(); // PAT and PMT
    const first: unknown = reading.next().value;
    if (!(first instanceof Uint8Array)) throw new Error('nothing');
    const before = Uint8Array.from(first);
    expect(body.holds(0)).toBe(true);
    ring.write(stream.run(170, { from: 600_000, gop: 10, size: 1000 }).take());
    expect(body.holds(0)).toBe(false);
    expect(body.holds(body.size - 1)).toBe(true);
    expect(body.alive).toBe(true);
    expect(() => read(body)).toThrow(expect.objectContaining({ code: 'range-not-held' }));
    const from = body.size - 50_000;
    expect(Buffer.compare(read(body, from), whole.subarray(from))).toBe(0);
    expect(first).toEqual(before);
    const rest: number[] = [];
    expect(() => {
      for (const chunk of reading) rest.push(chunk.length);
    }).toThrow(expect.objectContaining({ code: 'range-not-held' }));
    expect(rest.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(60_000);
    ring.write(stream.run(400, { from: 1_200_000, gop: 10, size: 1000 }).take());
    expect(body.alive).toBe(false);
    expect(ring.allocatedBytes).toBeLessThanOrEqual(400_000);
  });

  it('keeps no memory, nor does a reader that was left in the middle', () => {
    const { ring } = ringOf({ maxBytes: 400_000 });
    const stream = new StreamBuilder();
    ring.write(stream.run(200, { gop: 10, size: 1000 }).take());
    const reading = bodyOf(ring).read(0, 300_000);
    reading.next();
    reading.next();
    reading.return();
    ring.write(stream.run(400, { from: 600_000, gop: 10, size: 1000 }).take());
    expect(ring.allocatedBytes).toBeLessThanOrEqual(400_000);
  });

  it('is not there while nothing is', () => {
    const { ring } = ringOf();
    expect(ring.body('all')).toBeNull();
    epochs(ring, 1);
    expect(ring.body({ lastSeconds: 0 })).toBeNull();
    ring.clear();
    expect(ring.body('all')).toBeNull();
  });
});
