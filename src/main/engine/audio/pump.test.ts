import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AudioRole } from '../../../contract/index.ts';
import { LevelMeter, type Level } from './levels.ts';
import { SAMPLE_RATE } from './plan.ts';
import { SoundPump, interleave } from './pump.ts';

/** A sine of an amplitude (of 1), stereo, from a moment on, seconds. */
const sine = (hertz: number, amplitude: number, from: number, seconds: number): Int16Array =>
  Int16Array.from({ length: Math.round(seconds * SAMPLE_RATE) * 2 }, (_, i) =>
    Math.round(32767 * amplitude * Math.sin(2 * Math.PI * hertz * (from + Math.floor(i / 2) / SAMPLE_RATE))),
  );

describe('the pump', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  const start = (
    roles: AudioRole[],
    offsetSeconds = 0,
  ): { pump: SoundPump; written: () => Int16Array; frames: () => number; levels: [AudioRole, Level][] } => {
    const out = new PassThrough({ highWaterMark: 1e9 });
    const chunks: Buffer[] = [];
    out.on('data', (chunk: Buffer) => chunks.push(chunk));
    const levels: [AudioRole, Level][] = [];
    const pump = new SoundPump({
      roles,
      out,
      clock: () => now,
      offsetSeconds,
      onLevel: (role, level) => levels.push([role, level]),
    });
    const written = (): Int16Array => {
      for (let rest: unknown = out.read(); Buffer.isBuffer(rest); rest = out.read()) chunks.push(rest);
      return new Int16Array(new Uint8Array(Buffer.concat(chunks)).buffer);
    };
    const channels = roles.length > 1 ? 2 * (roles.length + 1) : 2;
    return { pump, written, frames: () => written().length / channels, levels };
  };
  const pass = (seconds: number, each: () => void = () => undefined): void => {
    for (const end = now + seconds; now < end - 1e-9;) {
      now += 0.01;
      each();
      vi.advanceTimersByTime(10);
    }
  };

  it('writes silence ahead of the present while nothing is heard', () => {
    const { frames, written, levels } = start(['desktop']);
    pass(2);
    expect(frames() / SAMPLE_RATE).toBeCloseTo(2.1, 1);
    expect(written().every((sample) => sample === 0)).toBe(true);
    expect(levels.at(-1)).toEqual(['desktop', { rmsDb: -120, peakDb: -120 }]);
    expect(levels).toHaveLength(8);
  });

  it('never falls behind, whatever comes and goes', () => {
    const { pump, frames } = start(['desktop', 'microphone']);
    let behind = 0;
    const look = (): void => {
      behind = Math.max(behind, now - frames() / SAMPLE_RATE);
    };
    pass(0.5, look);
    for (let i = 0; i < 5; i++) {
      // the desktop flows, hangs, flows again and is taken away; the microphone only now and then says something
      pass(0.7, () => {
        pump.push('desktop', new Int16Array(960));
        if (i % 2 === 0) pump.push('microphone', new Int16Array(960));
        look();
      });
      if (i === 3) pump.silence('desktop');
      pass(0.6, look);
    }
    expect(behind).toBeLessThan(0.19);
  });

  it.each([-5, 5])('does not make the picture wait for stamps that are %f s off', (off) => {
    const { pump, frames } = start(['desktop']);
    let behind = 0;
    pass(3, () => {
      pump.push('desktop', new Int16Array(960), now + off);
      behind = Math.max(behind, now - frames() / SAMPLE_RATE);
    });
    expect(behind).toBeLessThan(0.4);
  });

  it('is as long as time, and the sound lies where it was heard', () => {
    const { pump, written, frames } = start(['desktop']);
    pass(0.3);
    pass(2, () => pump.push('desktop', sine(440, now > 1.5 ? 0.5 : 0, now - 0.01, 0.01)));
    expect(frames() / SAMPLE_RATE).toBeGreaterThan(2.25);
    const first = written().findIndex((sample) => Math.abs(sample) > 1000) / 2 / SAMPLE_RATE;
    expect(first).toBeGreaterThan(1.48);
    expect(first).toBeLessThan(1.52);
  });

  it.each([-0.5, 0.1, 1])('moves the sound by %f s', (offset) => {
    const { pump, written } = start(['desktop'], offset);
    pass(0.3);
    pass(3, () => pump.push('desktop', sine(440, now > 1.5 ? 0.5 : 0, now - 0.01, 0.01)));
    const first = written().findIndex((sample) => Math.abs(sample) > 1000) / 2 / SAMPLE_RATE;
    expect(first).toBeGreaterThan(1.48 + offset);
    expect(first).toBeLessThan(1.52 + offset);
  });
});

describe('tracks', () => {
  it('are written side by side behind their sum, which is cut and not wrapped', () => {
    const bytes = interleave([Int16Array.of(1, -2, 30_000, -30_000), Int16Array.of(10, 20, 30_000, -30_000)]);
    expect([...new Int16Array(new Uint8Array(bytes).buffer)]).toEqual([
      ...[11, 18, 1, -2, 10, 20],
      ...[32767, -32768, 30_000, -30_000, 30_000, -30_000],
    ]);
    expect([...new Int16Array(new Uint8Array(interleave([Int16Array.of(5, -5)])).buffer)]).toEqual([5, -5]);
  });
});

describe('levels', () => {
  it('are those of a sine and of digital silence', () => {
    const levels: Level[] = [];
    const meter = new LevelMeter((level) => levels.push(level));
    meter.push(sine(997, 0.1, 0, 0.25));
    meter.push(new Int16Array(24_000).fill(1));
    expect(levels[0]?.peakDb).toBeCloseTo(-20, 1);
    expect(levels[0]?.rmsDb).toBeCloseTo(-23, 1);
    expect(levels[1]?.peakDb).toBeCloseTo(-90.3, 1);
  });
});
