import { describe, expect, it } from 'vitest';
import type { AccessUnit } from './accessUnit.ts';
import type { ReplayRing } from './ring.ts';
import type { Snapshot } from './snapshot.ts';
import { checkInvariants, digest, ringOf } from './testing/ring.ts';
import { StreamBuilder, joined, unitBytes } from './testing/stream.ts';

describe('readers', () => {
  it('snapshots stay as they were while the ring wraps several times', () => {
    const { ring } = ringOf({ maxBytes: 300_000, maxPinnedBytes: 10_000_000 });
    const stream = new StreamBuilder();
    const taken: { snapshot: Snapshot; before: string }[] = [];
    for (let i = 0; i < 100; i += 1) {
      ring.write(stream.run(10, { from: i * 30_000, gop: 10, size: 1000 + i }).take());
      if (i % 20 === 5) {
        for (const s of ring.snapshot('all')) taken.push({ snapshot: s, before: digest(joined(s.chunks())) });
      }
    }
    expect(taken).toHaveLength(5);
    for (const { snapshot, before } of taken) expect(digest(joined(snapshot.chunks()))).toBe(before);
    expect(ring.allocatedBytes).toBeGreaterThan(600_000);
    for (const { snapshot } of taken) snapshot.release();
    expect(ring.allocatedBytes).toBeLessThanOrEqual(300_000);
    expect(() => joined(taken[0]?.snapshot.chunks() ?? [])).toThrow(
      expect.objectContaining({ code: 'range-not-held' }),
    );
  });

  it('the oldest reader is cut when readers hold too much, the producer goes on, views it had stay intact', () => {
    const { ring, problems } = ringOf({ maxBytes: 300_000, maxPinnedBytes: 400_000 });
    const stream = new StreamBuilder();
    ring.write(stream.run(100, { gop: 10, size: 2000 }).take());
    const [slow] = ring.snapshot('all');
    const reading = slow?.chunks()[Symbol.iterator]();
    const first: unknown = reading?.next().value;
    if (!slow || !(first instanceof Uint8Array)) throw new Error('nothing');
    const copy = Uint8Array.from(first);
    let pts = 100 * 3000;
    for (let i = 0; i < 40; i += 1, pts += 300_000) {
      ring.write(stream.run(100, { from: pts, gop: 10, size: 2000 }).take());
      ring.snapshot({ lastSeconds: 1 });
      expect(ring.allocatedBytes).toBeLessThanOrEqual(700_000);
    }
    expect(ring.counters.readersCut).toBeGreaterThan(0);
    expect(problems[0]?.code).toBe('reader-cut');
    expect(first).toEqual(copy);
    expect(() => reading?.next()).toThrow(expect.objectContaining({ code: 'range-not-held' }));
    expect(ring.status().secondsHeld).toBeGreaterThan(2);
    slow.release();
  });
});

describe('access units', () => {
  const units = (ring: ReplayRing): AccessUnit[] => {
    const got: AccessUnit[] = [];
    ring.onAccessUnit((unit) => got.push(unit));
    return got;
  };

  it('come as soon as stuffing or length shows that they are whole, with the bytes that went in', () => {
    for (const told of [true, false]) {
      const { ring } = ringOf();
      const got: number[][] = [];
      ring.onAccessUnit((unit) => got.push([...unit.copyAnnexB()]));
      const stream = new StreamBuilder().psi();
      for (let i = 0; i < 20; i += 1) {
        const unit = { key: i % 7 === 0, pts: i * 3000, size: 41 * i, told };
        ring.write(stream.video(unit).take());
        expect(got).toHaveLength(i + 1);
        expect(got[i]).toEqual(unitBytes(unit));
      }
    }
  });

  it('one that ends exactly with its packet comes with the next', () => {
    const { ring } = ringOf();
    const got = units(ring);
    const stream = new StreamBuilder().psi();
    ring.write(stream.video({ key: true, pts: 0, size: 10 }).take());
    const exact = 184 - 14 - 6 - 5;
    ring.write(stream.video({ pts: 3000, size: exact }).take());
    expect(got).toHaveLength(1);
    ring.write(stream.video({ pts: 6000, size: 10 }).take());
    expect(got.map((u) => u.ptsMicros)).toEqual([0, 33_333, 66_667]);
  });

  it('stuffing is not believed again once more followed it', () => {
    const { ring } = ringOf();
    const got = units(ring);
    const stream = new StreamBuilder().run(1);
    const [head, ...rest] = stream.videoPackets({ pts: 3000, size: 700 });
    if (!head) throw new Error('no packet');
    // The last packet of another unit, renumbered: stuffing in the middle of a picture.
    const early = stream.videoPackets({ pts: 0, size: 20 });
    for (const packet of early) packet[1] = (packet[1] ?? 0) & ~0x40;
    const all = [head, ...early, ...rest];
    all.forEach((packet, i) => (packet[3] = ((packet[3] ?? 0) & 0xf0) | ((1 + i) & 15)));
    ring.write(stream.packets(...all).take());
    expect(ring.counters.earlyEndMisses).toBe(1);
    expect(got).toHaveLength(2);
    ring.write(
      new StreamBuilder()
        .run(1)
        .take()
        .subarray(188 * 2),
    );
    expect(got).toHaveLength(2);
  });

  it('a listener that throws, clears or resizes hurts nothing', () => {
    const { ring, problems } = ringOf();
    let calls = 0;
    ring.onAccessUnit(() => {
      calls += 1;
      if (calls === 5) ring.clear();
      if (calls === 12) ring.resize({ maxBytes: 100_000, maxSeconds: 0.1 });
      throw new Error('listener');
    });
    ring.write(new StreamBuilder().run(90, { gop: 10 }).take());
    expect(calls).toBeGreaterThan(30);
    expect(ring.counters.listenerErrors).toBe(calls);
    expect(problems[0]).toMatchObject({ code: 'listener-failed', cause: { message: 'listener' } });
    checkInvariants(ring, 8 * 1024 * 1024);
  });

  it('stop coming after unsubscribing, and their bytes end with the ring', () => {
    const { ring } = ringOf();
    const kept: AccessUnit[] = [];
    const stop = ring.onAccessUnit((unit) => kept.push(unit));
    const stream = new StreamBuilder();
    ring.write(stream.run(5).take());
    stop();
    ring.write(stream.run(5, { from: 15_000 }).take());
    expect(kept).toHaveLength(5);
    expect(kept[0]?.copyAnnexB().length).toBeGreaterThan(100);
    ring.clear();
    expect(() => kept[0]?.copyAnnexB()).toThrow(expect.objectContaining({ code: 'range-not-held' }));
  });
});
