import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayStatus } from '../../../contract/replay.ts';
import type { AccessUnit } from './accessUnit.ts';
import type { RingProblem } from './counters.ts';
import { ReplayRing, type RingOptions } from './ring.ts';
import type { Snapshot } from './snapshot.ts';
import {
  AUDIO_PID,
  H264_AND_AAC,
  StreamBuilder,
  VIDEO_PID,
  cutAt,
  joined,
  timestamp,
  unitBytes,
} from './testing/stream.ts';

const WRAP = 2 ** 33;
/** More for a longer run of the fuzzers. */
const runs = Number(process.env['PITWALL_FUZZ_RUNS'] ?? 40);
const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`../../../../test/fixtures/ts/${name}`, import.meta.url));

function ringOf(options: Partial<RingOptions> = {}): { ring: ReplayRing; problems: RingProblem[] } {
  const problems: RingProblem[] = [];
  const ring = new ReplayRing({
    maxBytes: 8 * 1024 * 1024,
    maxSeconds: 3600,
    now: () => 1000,
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  ring.beginEpoch({ sourceName: 'test' });
  return { ring, problems };
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What must be true of any ring after any input. */
function checkInvariants(ring: ReplayRing, maxBytes: number): void {
  const status = ReplayStatus.parse(ring.status());
  expect(status.bytesHeld).toBeLessThanOrEqual(Math.max(maxBytes, 16 * 188));
  expect(ring.allocatedBytes).toBeLessThanOrEqual(Math.max(maxBytes, 16 * 188));
  let seconds = 0;
  for (const snapshot of ring.snapshot('all')) {
    const bytes = joined(snapshot.chunks());
    expect(bytes.length).toBe(snapshot.bytes);
    expect(bytes.length % 188).toBe(0);
    expect(bytes.length).toBeGreaterThan(0);
    expect(bytes.every((byte, i) => i % 188 !== 0 || byte === 0x47)).toBe(true);
    expect(snapshot.seconds).toBeGreaterThan(0);
    seconds += snapshot.seconds;
    snapshot.release();
  }
  expect(status.secondsHeld).toBeCloseTo(seconds, 5);
}

describe('index', () => {
  it.each(['h264-aac.ts', 'hevc-bframes.ts'])('%s: the same however the bytes are cut', (name) => {
    const bytes = fixture(name);
    const outcome = (chunks: Iterable<Uint8Array>): unknown => {
      const { ring } = ringOf();
      const units: [boolean, number][] = [];
      ring.onAccessUnit((unit) => units.push([unit.keyframe, unit.ptsMicros]));
      for (const chunk of chunks) ring.write(chunk);
      const live = ring.status();
      ring.endInput();
      return [
        live,
        ring.status(),
        units,
        ring.snapshot('all').map((s) => [s.from, s.to, s.bytes, digest(joined(s.chunks()))]),
      ];
    };
    const wanted = outcome([bytes]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 12 }), (sizes) => {
        expect(outcome(cutAt(bytes, sizes))).toEqual(wanted);
      }),
      { numRuns: 25 },
    );
  });

  it('knows what ffmpeg made', () => {
    const { ring, problems } = ringOf();
    ring.write(fixture('h264-aac.ts'));
    ring.endInput();
    const [snapshot] = ring.snapshot('all');
    expect(snapshot).toMatchObject({ codec: 'h264', width: 160, height: 90, sourceName: 'test', from: 1000 });
    expect(snapshot?.seconds).toBeCloseTo(3, 6);
    expect(ring.totalBytes).toBe(fixture('h264-aac.ts').length);
    expect(ring.newestKeyframeAt).toBe(1000);
    expect([problems, ring.counters.lostRuns, ring.counters.crcErrors, ring.counters.resyncs]).toEqual([[], 0, 0, 0]);
  });

  it('measures HEVC with B-frames and open groups', () => {
    const { ring } = ringOf();
    ring.write(fixture('hevc-bframes.ts'));
    ring.endInput();
    const [snapshot] = ring.snapshot('all');
    expect(snapshot).toMatchObject({ codec: 'hevc', width: 160, height: 90 });
    expect(snapshot?.seconds).toBeCloseTo(2, 6);
  });

  it('begins at the first keyframe with parameter sets and puts the map in front', () => {
    const { ring } = ringOf();
    const stream = new StreamBuilder().psi();
    for (let i = 0; i < 5; i += 1) stream.video({ pts: i * 3000, size: 1000 });
    ring.write(stream.take());
    expect(ring.status().bytesHeld).toBe(0);
    ring.write(stream.run(20, { from: 15_000, gop: 10, psi: false }).take());
    const [snapshot] = ring.snapshot('all');
    const bytes = joined(snapshot?.chunks() ?? []);
    expect([bytes[1], bytes[2], (bytes[189] ?? 0) & 0x1f, bytes[190]]).toEqual([0x40, 0, 0x10, 0]);
    expect(snapshot?.seconds).toBeCloseTo(19 / 30, 6);
  });

  it('tells that a stream without usable video cannot be kept, and a later map repairs it', () => {
    const { ring, problems } = ringOf();
    const stream = new StreamBuilder().psi([{ pid: VIDEO_PID, type: 0x02 }]);
    ring.write(stream.take());
    expect(problems.map((p) => p.code)).toEqual(['unsupported-stream']);
    ring.write(stream.run(10).take());
    expect(ring.status().secondsHeld).toBeCloseTo(9 / 30, 6);
  });

  it('does not begin at a keyframe without parameter sets', () => {
    const { ring } = ringOf();
    const stream = new StreamBuilder().psi().run(1);
    const bytes = stream.take();
    // Rename SPS to a reserved type.
    const at = Buffer.from(bytes).indexOf(Uint8Array.from([0, 0, 0, 1, 0x67]));
    bytes[at + 4] = 0x70;
    ring.write(bytes);
    ring.endInput();
    expect([ring.counters.bareKeyframes, ring.snapshot('all').length]).toEqual([1, 0]);
  });
});

describe('epochs', () => {
  const seconds = (ring: ReplayRing): number[] => ring.status().epochs.map((e) => Math.round(e.seconds * 30));

  it('goes on over any number of wraps of 2^33', () => {
    const { ring } = ringOf({ maxBytes: 40_000_000, maxSeconds: 1e6 });
    const step = 1.9 * 90_000;
    const wraps = 3;
    const count = Math.ceil((wraps * WRAP) / step);
    ring.write(new StreamBuilder().psi().take());
    // One packet a picture, its timestamp and counter rewritten in place.
    const [key, other] = [true, false].map((k) => new StreamBuilder().video({ key: k, pts: 0, size: 9 }).take());
    let pts = WRAP - 500_000;
    for (let i = 0; i < count; i += 1) {
      const packet = i % 100 === 0 ? key : other;
      if (!packet) throw new Error('no packet');
      packet[3] = 0x30 | (i & 15);
      packet.set(timestamp(2, pts), 5 + (packet[4] ?? 0) + 9);
      ring.write(packet);
      pts += step;
    }
    expect(ring.status().epochs).toHaveLength(1);
    expect(ring.status().secondsHeld).toBeCloseTo((count - 1) * 1.9, 3);
    expect(ring.status().secondsHeld).toBeGreaterThan((wraps * WRAP) / 90_000 - 2);
  });

  it.each([
    ['backwards', -3000],
    ['more than two seconds forward', 2 * 90_000 + 3000],
  ])('a jump %s opens a new one', (_name, jump) => {
    const { ring } = ringOf();
    const stream = new StreamBuilder();
    ring.write(stream.run(30, { from: WRAP - 1000, gop: 10 }).take());
    ring.write(stream.run(30, { from: WRAP - 1000 + 29 * 3000 + jump, gop: 10 }).take());
    expect(seconds(ring)).toEqual([30, 29]);
  });

  it('a jump in the middle of a group waits for the next keyframe', () => {
    const { ring } = ringOf();
    const stream = new StreamBuilder().run(15);
    for (let i = 0; i < 15; i += 1) stream.video({ pts: 900_000 + i * 3000 });
    ring.write(stream.run(15, { from: 900_000 + 45_000 }).take());
    expect(seconds(ring)).toEqual([15, 14]);
  });

  it('a wrap together with a reconnect', () => {
    const { ring } = ringOf();
    ring.write(new StreamBuilder().run(15, { from: WRAP - 30_000 }).take());
    ring.beginEpoch({ sourceName: 'again' });
    ring.write(new StreamBuilder().run(15, { from: WRAP - 6000 }).take());
    // The picture under way when the connection broke is not whole.
    expect(seconds(ring)).toEqual([14, 14]);
    expect(ring.snapshot('all').map((s) => s.sourceName)).toEqual(['test', 'again']);
  });

  it('changed parameter sets, a changed map, a changed PAT', () => {
    const { ring } = ringOf();
    const stream = new StreamBuilder().run(30, { gop: 10 });
    stream.video({ key: true, pts: 90_000, spsByte: 0x99 }).video({ pts: 93_000 });
    stream.psi([...H264_AND_AAC, { pid: 0x102, type: 0x0f }]).video({ key: true, pts: 96_000, spsByte: 0x99 });
    stream.video({ pts: 99_000 });
    stream.psi(H264_AND_AAC, 0x1234).video({ key: true, pts: 102_000, spsByte: 0x99 }).video({ pts: 105_000 });
    ring.write(stream.take());
    ring.endInput();
    // The picture right before a changed map cannot be known to be whole.
    expect(seconds(ring)).toEqual([30, 1, 1, 2]);
  });

  it('times are Unix seconds of arrival', () => {
    let now = 5000;
    const { ring } = ringOf({ now: () => now });
    ring.write(new StreamBuilder().run(31, { from: 777_000 }).take());
    now = 6000;
    ring.beginEpoch({ sourceName: 'b' });
    ring.write(new StreamBuilder().run(31, { from: 5 }).take());
    expect(ring.status().epochs.map((e) => [e.from, e.to])).toEqual([
      [5000, 5001],
      [6000, 6001],
    ]);
    expect(ring.snapshot({ from: 5000.5, to: 6000.5 }).map((s) => s.from)).toEqual([5000, 6000]);
    expect(ring.snapshot({ from: 5500, to: 5600 })).toEqual([]);
  });

  it('the end of the input completes the last picture, a torn packet does not', () => {
    for (const [torn, pictures] of [
      [0, 15],
      [40, 14],
    ] as const) {
      const { ring } = ringOf();
      const bytes = new StreamBuilder().run(15, { size: 600 }).take();
      ring.write(bytes.subarray(0, bytes.length - torn));
      ring.endInput();
      expect(seconds(ring)).toEqual([pictures]);
      ring.write(new StreamBuilder().run(15).take());
      expect(seconds(ring)).toEqual([pictures, 14]);
    }
  });
});

describe('bounds', () => {
  it('keeps one group more than the seconds asked for, so that they can be saved', () => {
    const { ring } = ringOf({ maxSeconds: 5 });
    const stream = new StreamBuilder();
    for (let i = 0; i < 60; i += 1) {
      ring.write(stream.run(10, { from: i * 30_000, gop: 10 }).take());
      const { secondsHeld } = ring.status();
      expect(secondsHeld).toBeLessThan(5 + 1 / 3 + 1e-6);
      if (i > 20) expect(secondsHeld).toBeGreaterThanOrEqual(5);
    }
  });

  it('drops whole groups over epochs, oldest first', () => {
    const { ring } = ringOf({ maxSeconds: 4 });
    for (let i = 0; i < 4; i += 1) {
      ring.beginEpoch({ sourceName: `${i}` });
      ring.write(new StreamBuilder().run(61, { from: i, gop: 15 }).take());
    }
    expect(ring.status().epochs.map((e) => [e.id, Math.round(e.seconds * 2) / 2])).toEqual([
      [3, 2],
      [4, 2],
    ]);
  });

  it.each([
    ['no seconds at all', 0, 8_000_000],
    ['a group longer than the seconds', 2, 8_000_000],
    ['a group larger than the bytes', 3600, 64 * 1024],
    ['one picture larger than the bytes', 3600, 5000],
  ])('%s: the group is dropped, said so, and recording goes on', (_name, maxSeconds, maxBytes) => {
    const { ring, problems } = ringOf({ maxSeconds, maxBytes });
    const stream = new StreamBuilder().run(200, { gop: 100, size: 8000 });
    ring.write(stream.take());
    expect(problems.map((p) => p.code)).toContain('ring-overflow');
    expect(ring.counters.overflows).toBe(problems.length);
    checkInvariants(ring, maxBytes);
    ring.write(stream.run(2, { from: 600_000, size: 50 }).take());
    if (maxSeconds > 0) expect(ring.status().secondsHeld).toBeCloseTo(1 / 30, 6);
  });

  it('never grows without a keyframe, nor gives up what it holds for one that never comes', () => {
    const { ring } = ringOf({ maxBytes: 1024 * 1024 });
    ring.write(new StreamBuilder().run(30, { size: 500 }).take());
    ring.endInput();
    const before = ring.status();
    const stream = new StreamBuilder().psi();
    const audio = new StreamBuilder();
    for (let i = 0; i < 3000; i += 1) {
      stream.video({ pts: i * 3000, size: 2000 }).packets(...audio.audioPackets(i * 3000, 300));
    }
    ring.write(stream.take());
    // A picture begun, its slice never seen, then sound only.
    stream.packets(
      ...stream
        .videoPackets({ key: true, pts: 0, size: 1000 })
        .slice(0, 1)
        .map((p) => p.fill(0xaa, 20)),
    );
    for (let i = 0; i < 20_000; i += 1) stream.packets(...audio.audioPackets(i * 3000, 300));
    ring.write(stream.take());
    expect(ring.status()).toEqual({ ...before, liveSeconds: 0 });
  });

  it('two keyframes only', () => {
    const { ring } = ringOf({ maxBytes: 200_000, maxSeconds: 3 });
    const stream = new StreamBuilder().run(1);
    for (let i = 1; i < 60; i += 1) stream.video({ pts: i * 3000 });
    stream.video({ key: true, pts: 180_000 });
    for (let i = 61; i < 2000; i += 1) stream.video({ pts: i * 3000 });
    ring.write(stream.take());
    checkInvariants(ring, 200_000);
    expect(ring.counters.overflows).toBe(1);
  });

  it('resizing keeps what fits', () => {
    const { ring } = ringOf({ maxBytes: 4_000_000 });
    const stream = new StreamBuilder();
    ring.write(stream.run(600, { size: 4000, gop: 30 }).take());
    const before = ring.status();
    ring.resize({ maxBytes: 1_000_000, maxSeconds: 3600 });
    const after = ring.status();
    expect(after.bytesHeld).toBeGreaterThan(500_000);
    expect(after.epochs[0]?.to).toBe(before.epochs[0]?.to);
    checkInvariants(ring, 1_000_000);
    ring.resize({ maxBytes: 4_000_000, maxSeconds: 1 });
    expect(ring.status().secondsHeld).toBeLessThan(2);
    ring.resize({ maxBytes: 4_000_000, maxSeconds: 3600 });
    ring.write(stream.run(600, { from: 600 * 3000, size: 4000, gop: 30 }).take());
    expect(ring.status().epochs).toHaveLength(1);
    expect(ring.status().bytesHeld).toBeGreaterThan(2_000_000);
    checkInvariants(ring, 4_000_000);
  });

  it('clear drops all, and recording goes on at the next keyframe', () => {
    const { ring } = ringOf();
    const stream = new StreamBuilder();
    ring.write(stream.run(45).take());
    ring.clear();
    expect(ring.status()).toMatchObject({ secondsHeld: 0, bytesHeld: 0, epochs: [] });
    ring.write(stream.run(45, { from: 45 * 3000 }).take());
    expect(ring.status().secondsHeld).toBeCloseTo(44 / 30, 6);
    checkInvariants(ring, 8 * 1024 * 1024);
  });

  it('hold for any structure', () => {
    const piece = fc.record({
      key: fc.boolean(),
      size: fc.oneof(fc.nat(300), fc.nat(30_000)),
      step: fc.oneof({ weight: 8, arbitrary: fc.constant(3000) }, fc.integer({ min: -(2 ** 33), max: 2 ** 33 })),
      told: fc.boolean(),
      psi: fc.boolean(),
      audio: fc.nat(900),
      then: fc.oneof(
        { weight: 30, arbitrary: fc.constant('') },
        fc.constantFrom('epoch', 'end', 'clear', 'resize', 'spoil'),
      ),
    });
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 120 }),
        fc.integer({ min: 0, max: 300_000 }),
        fc.integer({ min: 0, max: 4 }),
        (pieces, maxBytes, maxSeconds) => {
          const { ring } = ringOf({ maxBytes, maxSeconds });
          ring.onAccessUnit((unit) => expect(unit.copyAnnexB().length).toBeGreaterThan(0));
          const stream = new StreamBuilder().psi();
          let pts = 0;
          let largest = maxBytes;
          for (const { key, size, step, told, psi, audio, then } of pieces) {
            if (psi) stream.psi();
            // Sound cut in two by the picture, as no good muxer does.
            const sound = stream.audioPackets(pts, audio, told);
            const half = sound.length >> 1;
            stream.packets(...sound.slice(0, half)).video({ key, size, pts, told: told && size < 60_000 });
            stream.packets(...sound.slice(half));
            pts += step;
            const bytes = stream.take();
            if (then === 'spoil') bytes[(size * 7) % bytes.length] = 0x99;
            ring.write(bytes);
            if (then === 'epoch') ring.beginEpoch({ sourceName: 'x' });
            if (then === 'end') ring.endInput();
            if (then === 'clear') ring.clear();
            if (then === 'resize') {
              largest = size * 20;
              ring.resize({ maxBytes: largest, maxSeconds });
            }
            checkInvariants(ring, Math.max(largest, maxBytes));
          }
          expect(ring.counters.listenerErrors).toBe(0);
        },
      ),
      { numRuns: runs },
    );
  });
});

describe('whole pictures', () => {
  /** PES starts and packets of a PID in some bytes. */
  function packetsOf(bytes: Uint8Array, pid: number): { starts: boolean; at: number }[] {
    const found: { starts: boolean; at: number }[] = [];
    for (let p = 0; p < bytes.length; p += 188) {
      const b1 = bytes[p + 1] ?? 0;
      if ((((b1 & 0x1f) << 8) | (bytes[p + 2] ?? 0)) === pid) found.push({ starts: (b1 & 0x40) !== 0, at: p });
    }
    return found;
  }

  it.each([true, false])('leaves out sound that begins before or ends after (lengths told: %s)', (told) => {
    const { ring } = ringOf();
    const stream = new StreamBuilder();
    // Every keyframe splits a sound packet: 2 parts before it, 2 after.
    for (let i = 0; i < 40; i += 1) {
      const key = i % 10 === 0;
      const sound = stream.audioPackets(i * 3000, 700, told);
      if (key) stream.psi();
      stream
        .packets(...sound.slice(0, 2))
        .video({ key, pts: i * 3000, size: 400 })
        .packets(...sound.slice(2));
    }
    ring.write(stream.take());
    for (const selection of [
      { lastSeconds: 0.4 },
      { from: 1000, to: 1000.3 },
      { from: 1000.4, to: 1000.7 },
      'all',
    ] as const) {
      const [snapshot] = ring.snapshot(selection);
      const sound = packetsOf(joined(snapshot?.chunks() ?? []), AUDIO_PID);
      expect(sound.length).toBeGreaterThan(0);
      // Four packets each, whole ones only.
      expect(sound.map((s) => s.starts)).toEqual(sound.map((_, i) => i % 4 === 0));
      expect(sound.length % 4).toBe(0);
    }
  });

  it('ends before the picture under way, or after it once its told length is there', () => {
    for (const [told, pictures] of [
      [false, 9],
      [true, 10],
    ] as const) {
      const { ring } = ringOf();
      ring.write(new StreamBuilder().run(10, { told, size: 900 }).take());
      const [snapshot] = ring.snapshot('all');
      const video = packetsOf(joined(snapshot?.chunks() ?? []), VIDEO_PID);
      expect(video.filter((v) => v.starts)).toHaveLength(pictures);
      expect(snapshot?.seconds).toBeCloseTo(pictures / 30, 6);
    }
  });

  it('a span holds every picture shown in it and at most one group more', () => {
    const { ring } = ringOf();
    ring.write(new StreamBuilder().run(300, { gop: 30 }).take());
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 290 }), fc.integer({ min: 1, max: 9 }), (first, length) => {
        const from = 1000 + first / 30 + 0.001;
        const to = Math.min(1009.9, from + length / 3);
        const [snapshot] = ring.snapshot({ from, to });
        if (!snapshot) throw new Error('nothing');
        expect(snapshot.from).toBeLessThanOrEqual(from);
        expect(snapshot.from).toBeGreaterThan(from - 1.001);
        expect(snapshot.to).toBeGreaterThanOrEqual(to - 1e-9);
        expect(snapshot.to).toBeLessThan(to + 1 / 30 + 1e-9);
        const video = packetsOf(joined(snapshot.chunks()), VIDEO_PID).filter((v) => v.starts);
        expect(video.length).toBe(Math.round(snapshot.seconds * 30));
        snapshot.release();
      }),
    );
  });

  it('the last seconds are at least what was asked and at most one group more', () => {
    const { ring } = ringOf();
    ring.write(new StreamBuilder().run(300, { gop: 30 }).take());
    for (const lastSeconds of [0.01, 0.5, 1, 1.97, 5, 9.9]) {
      const [snapshot] = ring.snapshot({ lastSeconds });
      expect(snapshot?.seconds).toBeGreaterThanOrEqual(lastSeconds);
      expect(snapshot?.seconds).toBeLessThan(lastSeconds + 1 + 1e-6);
    }
    expect(ring.snapshot({ lastSeconds: Infinity })[0]?.seconds).toBeCloseTo(299 / 30, 6);
    for (const nothing of [0, -1, Number.NaN]) expect(ring.snapshot({ lastSeconds: nothing })).toEqual([]);
  });
});

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

describe('fuzzing', () => {
  it.each(['h264-aac.ts', 'hevc-bframes.ts'])('%s mutated: never throws, loops or grows', (name) => {
    const clean = fixture(name).subarray(0, 188 * 300);
    const edit = fc.record({
      at: fc.nat(clean.length - 1),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'cut', 'insert', 'header'),
    });
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 80 }), fc.integer({ min: 1, max: 5000 }), (edits, size) => {
        const { ring } = ringOf({ maxBytes: 60_000, maxSeconds: 2 });
        ring.onAccessUnit((unit) => void unit.copyAnnexB());
        let bytes = Buffer.from(clean);
        for (const { at, byte, kind } of edits) {
          const p = at % bytes.length;
          if (kind === 'set') bytes[p] = byte;
          else if (kind === 'header') bytes[p - (p % 188) + (byte % 20)] = (byte * 31) & 0xff;
          else if (kind === 'cut') bytes = Buffer.concat([bytes.subarray(0, p), bytes.subarray(p + byte)]);
          else bytes = Buffer.concat([bytes.subarray(0, p), Buffer.alloc(byte, byte), bytes.subarray(p)]);
        }
        for (const chunk of cutAt(bytes, [size])) ring.write(chunk);
        ring.endInput();
        expect(ring.counters.listenerErrors).toBe(0);
        checkInvariants(ring, 60_000);
      }),
      { numRuns: runs },
    );
  });
});
