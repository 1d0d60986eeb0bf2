import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReplayRing } from './ring.ts';
import { digest, fixture, ringOf } from './testing/ring.ts';
import { AUDIO_PID, H264_AND_AAC, StreamBuilder, VIDEO_PID, cutAt, joined, timestamp } from './testing/stream.ts';

const WRAP = 2 ** 33;

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
