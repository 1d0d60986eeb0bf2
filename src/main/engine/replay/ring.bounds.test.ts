import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkInvariants, fixture, ringOf, runs } from './testing/ring.ts';
import { StreamBuilder, cutAt } from './testing/stream.ts';

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
