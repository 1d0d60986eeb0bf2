import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ticksBetween } from '../transport/timestamps.ts';
import type { RingCursor } from './cursor.ts';
import type { ReplayRing } from './ring.ts';
import { demux, type Pes } from './testing/demux.ts';
import { fixture, ringOf, runs } from './testing/ring.ts';
import { pictures } from './testing/pictures.ts';
import { AUDIO_PID, StreamBuilder, VIDEO_PID, cutAt, joined, unitBytes } from './testing/stream.ts';

/** Everything there is now. */
function drain(cursor: RingCursor): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let run = cursor.read(); run; run = cursor.read()) parts.push(Uint8Array.from(run));
  return joined(parts);
}

const videoOf = (all: readonly Pes[]): Pes[] => all.filter(({ pid }) => pid === VIDEO_PID);

function expectForward(all: readonly Pes[]): void {
  const last = new Map<number, number>();
  for (const { pid, dts } of all) {
    const before = last.get(pid);
    if (before !== undefined) assert.ok(ticksBetween(before, dts) > 0, `PID ${pid} goes back from ${before} to ${dts}`);
    last.set(pid, dts);
  }
}

describe('a live cursor', () => {
  it('hands out the very bytes of one epoch as views into the ring, whole pictures only', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 700, max: 9000 }), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        (sizes, told, gop) => {
          const { ring } = ringOf();
          const input = new StreamBuilder().run(60, { gop, size: 700, told }).take();
          const cursor = ring.openCursor({ start: 'oldest' });
          const parts: Uint8Array[] = [];
          for (const piece of cutAt(input, sizes)) {
            ring.write(piece);
            const got = drain(cursor);
            parts.push(got);
            const sofar = demux(joined(parts));
            for (const { data } of videoOf(sofar)) assert.equal(unitSize(data), 700);
          }
          ring.endInput();
          parts.push(drain(cursor));
          // PAT and PMT in front are ours; where those of the stream come first, their counters jump and that is announced
          const output = withoutMarks(joined(parts));
          expect(output.subarray(0, 376)).toEqual(input.subarray(0, 376));
          expect(Buffer.compare(output.subarray(376), input.subarray(376))).toBe(0);
          cursor.close();
        },
      ),
      { numRuns: runs },
    );
  });

  it('copies nothing in its first epoch', () => {
    const { ring } = ringOf();
    const stream = new StreamBuilder();
    ring.write(stream.run(60).take());
    const cursor = ring.openCursor({ start: 'oldest' });
    const backing = new Set<ArrayBufferLike>();
    cursor.read(); // PAT and PMT
    for (let i = 1; i < 20; i += 1) {
      for (let run = cursor.read(); run; run = cursor.read()) backing.add(run.buffer);
      ring.write(stream.run(60, { from: i * 180_000 }).take());
    }
    expect([...backing].every((buffer) => buffer.byteLength > 200_000)).toBe(true);
    expect(backing.size).toBeLessThan(6);
    cursor.close();
  });

  it('opens at the oldest keyframe, the newest, or the one at or before a time', () => {
    const { ring } = ringOf();
    ring.write(new StreamBuilder().run(95, { from: 900_000, gop: 30 }).take());
    const firstPts = (start: Parameters<ReplayRing['openCursor']>[0]['start']): number | undefined => {
      const cursor = ring.openCursor({ start });
      const first = videoOf(demux(drain(cursor)))[0];
      cursor.close();
      return first?.pts;
    };
    expect(firstPts('oldest')).toBe(900_000);
    expect(firstPts('newest')).toBe(900_000 + 90 * 3000);
    // the first keyframe arrived at 1000
    expect(firstPts({ at: 1001.5 })).toBe(900_000 + 30 * 3000);
    expect(firstPts({ at: 2000 })).toBe(900_000 + 90 * 3000);
    expect(firstPts({ at: 5 })).toBe(900_000);
  });

  it('waits for bytes without asking, until aborted or closed', async () => {
    const { ring } = ringOf();
    const stream = new StreamBuilder();
    const cursor = ring.openCursor({ start: 'newest' });
    const first = cursor.next();
    ring.write(stream.run(3).take());
    expect((await first)?.length).toBe(376);
    while (cursor.read());
    let woken = 0;
    const later = cursor.next().then((run) => {
      woken += 1;
      return run;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(woken).toBe(0);
    ring.write(stream.video({ pts: 9000 }).take());
    expect(videoOf(demux((await later) ?? new Uint8Array(0)))).toHaveLength(1);

    const abort = new AbortController();
    const aborted = cursor.next(abort.signal);
    abort.abort();
    expect(await aborted).toBeNull();
    expect(await cursor.next(abort.signal)).toBeNull();
    const closed = cursor.next();
    cursor.close();
    expect(await closed).toBeNull();
    expect(await cursor.next()).toBeNull();
  });

  it('does not hand out the beginning of a sound whose end never comes', () => {
    const { ring } = ringOf();
    const stream = new StreamBuilder().psi();
    ring.write(stream.video({ key: true, pts: 0, told: true }).take());
    const [head, ...rest] = stream.audioPackets(0, 900);
    if (!head) throw new Error('no packet');
    const cursor = ring.openCursor({ start: 'oldest' });
    ring.write(stream.packets(head).take());
    ring.write(stream.video({ pts: 3000, told: true }).take());
    expect(demux(drain(cursor)).map(({ pid }) => pid)).toEqual([VIDEO_PID]);
    ring.beginEpoch({ sourceName: 'again' });
    ring.write(new StreamBuilder().run(5, { told: true }).take());
    expect(rest.length).toBeGreaterThan(0);
    const after = demux(drain(cursor));
    expect(after.every(({ pid }) => pid === VIDEO_PID)).toBe(true);
    expect(after).toHaveLength(6);
    cursor.close();
  });

  it('puts epochs on one timeline, whatever their clocks, with every break of a counter announced', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            from: fc.oneof(fc.nat({ max: 2 ** 33 - 1 }), fc.constant(0), fc.constant(2 ** 33 - 40_000)),
            pictures: fc.integer({ min: 2, max: 50 }),
            told: fc.boolean(),
            psi: fc.boolean(),
            counters: fc.nat({ max: 15 }),
            reads: fc.boolean(),
          }),
          { minLength: 2, maxLength: 6 },
        ),
        (epochs) => {
          const { ring } = ringOf();
          const cursor = ring.openCursor({ start: 'oldest' });
          const parts: Uint8Array[] = [];
          let pictures = 0;
          for (const { from, pictures: count, told, psi, counters, reads } of epochs) {
            ring.beginEpoch({ sourceName: 'test' });
            const stream = new StreamBuilder();
            // other continuity counters than the epoch before
            for (let i = 0; i < counters; i += 1)
              stream
                .psi()
                .video({ pts: 0 })
                .packets(...stream.audioPackets(0, 10));
            stream.take();
            stream.psi();
            for (let i = 0; i < count; i += 1) {
              const pts = from + i * 3000;
              if (i % 10 === 0 && psi) stream.psi();
              stream.video({ key: i % 10 === 0, pts, told, size: 300 });
              stream.packets(...stream.audioPackets(pts - 20_000, 400));
            }
            ring.write(stream.take());
            if (reads) parts.push(drain(cursor));
            pictures += count;
          }
          ring.endInput();
          parts.push(drain(cursor));
          const all = demux(joined(parts));
          // The last picture of an epoch whose lengths are not told may have been unfinished when the next source came.
          const lost = epochs.slice(0, -1).filter(({ told }) => !told).length;
          assert.equal(videoOf(all).length, pictures - lost);
          // sound is 20000 ticks late here, and what belongs before an epoch's first picture is left out
          assert.ok(all.some(({ pid }) => pid === AUDIO_PID) || epochs.every((epoch) => epoch.pictures < 10));
          expectForward(all);
          assert.equal(cursor.skipped, 0);
          cursor.close();
        },
      ),
      { numRuns: runs },
    );
  });

  it('ends where the program becomes another one', async () => {
    const { ring } = ringOf();
    const cursor = ring.openCursor({ start: 'oldest' });
    ring.write(new StreamBuilder().run(10).take());
    ring.beginEpoch({ sourceName: 'hevc' });
    const other = new StreamBuilder().psi([{ pid: 0x110, type: 0x1b }]);
    for (let i = 0; i < 10; i += 1) {
      other.packets(...other.videoPackets({ key: i === 0, pts: i * 3000 }, 0x110));
    }
    ring.write(other.take());
    const got: Uint8Array[] = [];
    for (let run = await cursor.next(); run; run = await cursor.next()) got.push(Uint8Array.from(run));
    expect(videoOf(demux(joined(got)))).toHaveLength(9);
    expect(await cursor.next()).toBeNull();
    cursor.close();
  });

  it('moves on when it was too slow, counts it, and keeps no more memory than allowed', () => {
    for (const whenLate of ['oldest', 'newest'] as const) {
      const { ring } = ringOf({ maxBytes: 320_000 });
      const stream = new StreamBuilder();
      const cursor = ring.openCursor({ start: 'oldest', whenLate, maxPinnedBytes: 60_000 });
      ring.write(stream.run(30, { gop: 10, size: 1000 }).take());
      const parts: Uint8Array[] = [Uint8Array.from(cursor.read() ?? []), Uint8Array.from(cursor.read() ?? [])];
      let pts = 90_000;
      for (let i = 0; i < 30; i += 1, pts += 90_000) {
        ring.write(stream.run(30, { from: pts, gop: 10, size: 1000 }).take());
        expect(ring.allocatedBytes).toBeLessThanOrEqual(320_000 + 60_000);
      }
      parts.push(drain(cursor));
      expect(cursor.skipped).toBe(1);
      const all = videoOf(demux(joined(parts), { whole: true }));
      expectForward(all);
      const jump = all.findIndex(({ marked }) => marked);
      expect(all[jump]?.data.length).toBe(unitBytes({ key: true, size: 1000, pts: 0 }).length);
      // from there on without a gap to the newest picture but the one under way
      expect(all.at(-1)?.pts).toBe(pts - 6000);
      const after = all.slice(jump);
      expect(after).toHaveLength(1 + ((after.at(-1)?.pts ?? 0) - (after[0]?.pts ?? 0)) / 3000);
      if (whenLate === 'newest') expect(after.length).toBeLessThan(10);
      else expect(after.length).toBeGreaterThan(100);
      cursor.close();
      expect(ring.allocatedBytes).toBeLessThanOrEqual(320_000);
    }
  });

  it('frozen between two chunks of one slab goes on to the end of a picture before it is moved', () => {
    const { ring } = ringOf({ maxBytes: 32_000_000 });
    const picture = pictures();
    const write = (from: number, to: number): void => {
      for (let i = from; i < to; i += 1) ring.write(picture(i, 50_000));
    };
    write(0, 200);
    for (let chunks = 2; chunks < 14; chunks += 1) {
      const cursor = ring.openCursor({ start: 'oldest', maxPinnedBytes: 5_000_000 });
      const parts = Array.from({ length: chunks }, () => Uint8Array.from(cursor.read() ?? []));
      write(200 + (chunks - 2) * 800, 200 + (chunks - 1) * 800);
      while (cursor.skipped === 0) parts.push(Uint8Array.from(cursor.read() ?? []));
      expect(demux(joined(parts), { whole: false }).length).toBeGreaterThan(40);
      expect(joined(parts).length).toBeGreaterThan(2_000_000);
      cursor.close();
    }
  });

  it('that is to stay live moves to the newest keyframe when it is too far behind', () => {
    const { ring } = ringOf();
    const stream = new StreamBuilder();
    const cursor = ring.openCursor({ start: 'newest', whenLate: 'newest', maxBehindBytes: 50_000 });
    ring.write(stream.run(10, { size: 1000 }).take());
    const parts = [drain(cursor)];
    ring.write(stream.run(90, { from: 30_000, size: 1000, gop: 30 }).take());
    parts.push(drain(cursor));
    expect(cursor.skipped).toBe(1);
    const all = videoOf(demux(joined(parts)));
    expectForward(all);
    expect(all.at(-1)?.pts).toBe(30_000 + 88 * 3000);
    expect(all.length).toBeLessThan(45);
    cursor.close();
  });

  it('many frozen readers together keep no more than the ring allows; saves are spared', () => {
    const { ring } = ringOf({ maxBytes: 320_000, maxPinnedBytes: 400_000 });
    const stream = new StreamBuilder();
    ring.write(stream.run(30, { gop: 10, size: 1000 }).take());
    const [save] = ring.snapshot({ lastSeconds: 0.5 });
    const cursors = Array.from({ length: 10 }, () => ring.openCursor({ start: 'oldest' }));
    const got = cursors.map((): Uint8Array[] => []);
    let pts = 90_000;
    for (let i = 0; i < 60; i += 1, pts += 90_000) {
      const n = i % 20;
      got[n]?.push(Uint8Array.from(cursors[n]?.read() ?? []));
      ring.write(stream.run(30, { from: pts, gop: 10, size: 1000 }).take());
      expect(ring.allocatedBytes).toBeLessThanOrEqual(320_000 + 400_000);
    }
    expect(ring.counters.readersCut).toBe(0);
    expect(joined(save?.chunks() ?? []).length).toBe(save?.bytes);
    for (const [n, cursor] of cursors.entries()) {
      const all = videoOf(demux(joined([...(got[n] ?? []), drain(cursor)])));
      expect(all.at(-1)?.pts).toBe(pts - 6000);
      cursor.close();
    }
    save?.release();
    expect(ring.allocatedBytes).toBeLessThanOrEqual(320_000);
  });

  it('gives whole pictures in order whatever happens to the ring', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ op: fc.constant('write' as const), n: fc.integer({ min: 1, max: 25 }) }) },
      { weight: 6, arbitrary: fc.record({ op: fc.constant('read' as const), n: fc.integer({ min: 1, max: 8 }) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('source' as const), n: fc.nat({ max: 2 ** 33 - 1 }) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('jump' as const), n: fc.nat({ max: 2 ** 33 - 1 }) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('clear' as const), n: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('end' as const), n: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('huge' as const), n: fc.integer({ min: 20, max: 200 }) }) },
      {
        weight: 1,
        arbitrary: fc.record({ op: fc.constant('resize' as const), n: fc.integer({ min: 50_000, max: 400_000 }) }),
      },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('params' as const), n: fc.integer({ min: 0, max: 255 }) }) },
    );
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 5, maxLength: 80 }),
        fc.boolean(),
        fc.constantFrom('oldest' as const, 'newest' as const),
        fc.integer({ min: 100, max: 5000 }),
        (steps, told, whenLate, piece) => {
          let maxBytes = 200_000;
          const { ring } = ringOf({ maxBytes, maxSeconds: 20 });
          const cursor = ring.openCursor({ start: 'oldest', whenLate, maxPinnedBytes: 40_000 });
          const parts: Uint8Array[] = [];
          let stream = new StreamBuilder();
          let [pts, index, spsByte] = [0, 0, 0x88];
          // the size of a picture is its name
          const write = (count: number, gop: number): void => {
            for (let i = 0; i < count; i += 1, index += 1, pts += 3000) {
              const key = index % gop === 0;
              if (key) stream.psi();
              stream.video({ key, pts, told, size: 100 + (index % 3000), spsByte });
              if (index % 4 === 0) stream.packets(...stream.audioPackets(pts - 9000, 500));
            }
            for (const bytes of cutAt(stream.take(), [piece])) ring.write(bytes);
          };
          for (const { op, n } of steps) {
            if (op === 'write') write(n, 8);
            else if (op === 'huge') write(n, 500);
            else if (op === 'clear') ring.clear();
            else if (op === 'end') ring.endInput();
            else if (op === 'jump') pts = n;
            else if (op === 'params') spsByte = n;
            else if (op === 'resize') ring.resize({ maxBytes: (maxBytes = n), maxSeconds: 20 });
            else if (op === 'source') {
              ring.beginEpoch({ sourceName: String(n) });
              stream = new StreamBuilder();
              pts = n;
            } else {
              for (let i = 0; i < n; i += 1) {
                const run = cursor.read();
                if (run) parts.push(Uint8Array.from(run));
              }
            }
          }
          ring.endInput();
          parts.push(drain(cursor));
          const all = demux(joined(parts));
          const video = videoOf(all);
          expectForward(video);
          let last = -1;
          for (const [i, { data, marked }] of video.entries()) {
            const key = (data[10] ?? 0) === 0x67;
            if (i === 0 || marked) assert.ok(key, `picture ${i} begins a part and is no keyframe`);
            const size = unitSize(data);
            if (last >= 0 && !marked) assert.equal(size, 100 + ((last - 100 + 1) % 3000), `after picture of ${last}`);
            last = size;
          }
          cursor.close();
          const bound = Math.max(maxBytes, 16 * 188);
          assert.ok(ring.allocatedBytes <= Math.max(bound, 200_000), `${ring.allocatedBytes} allocated after close`);
        },
      ),
      { numRuns: runs * 3 },
    );
  });

  it('a real stream with sound, read across two connections, stays one stream', () => {
    const input = fixture('h264-aac.ts');
    const { ring } = ringOf();
    const cursor = ring.openCursor({ start: 'oldest' });
    const parts: Uint8Array[] = [];
    for (let round = 0; round < 3; round += 1) {
      ring.beginEpoch({ sourceName: `round ${round}` });
      // torn in the middle of a packet
      const torn = input.subarray(0, input.length - 188 * 7 * (round + 1) - 50);
      for (const piece of cutAt(torn, [1000, 64_000])) {
        ring.write(piece);
        parts.push(drain(cursor));
      }
    }
    ring.endInput();
    parts.push(drain(cursor));
    const all = demux(joined(parts));
    expectForward(all);
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(2);
    cursor.close();
  });
});

/** Without the packets that carry no payload. */
function withoutMarks(bytes: Uint8Array): Uint8Array {
  const packets = [...cutAt(bytes, [188])];
  return joined(packets.filter((packet) => ((packet[3] ?? 0) & 0x10) !== 0));
}

/** The slice's size of a picture made by `unitBytes`. */
function unitSize(data: Uint8Array): number {
  let end = data.length;
  while (end > 0 && data[end - 1] === 0xaa) end -= 1;
  return data.length - end;
}
