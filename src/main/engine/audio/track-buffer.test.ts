import { describe, expect, it } from 'vitest';
import { SAMPLE_RATE } from './plan.ts';
import { ArrivalClock, TrackBuffer, TrackFlow, stretch } from './track-buffer.ts';

/** Frames whose both channels are their own number, from `first` on. */
const ramp = (first: number, frames: number): Int16Array =>
  Int16Array.from({ length: frames * 2 }, (_, i) => first + Math.floor(i / 2));

/** A small generator of the same numbers every time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

describe('a track', () => {
  it('is silent where nothing was placed, and drops what comes too late', () => {
    const track = new TrackBuffer();
    track.place(ramp(1, 4), 2);
    track.place(ramp(100, 4), 4); // its first two frames are taken
    expect([...track.read(0, 10)].filter((_, i) => i % 2 === 0)).toEqual([0, 0, 1, 2, 3, 4, 102, 103, 0, 0]);
    track.skipTo(12);
    track.place(ramp(1, 4), 10);
    expect([...track.read(10, 14)].filter((_, i) => i % 2 === 0)).toEqual([0, 0, 3, 4]);
  });

  it('is read in pieces as it was placed', () => {
    const track = new TrackBuffer();
    for (let at = 0; at < 1000; at += 7) track.place(ramp(at, 7), at);
    const read = [];
    for (let at = 0; at < 990; at += 11) read.push(...track.read(at, at + 11));
    expect(read.filter((_, i) => i % 2 === 0)).toEqual(Array.from({ length: 990 }, (_, i) => i));
  });
});

describe('when samples were heard', () => {
  it('is told by the least late arrival, whatever the others do', () => {
    const chance = dice(1);
    const clock = new ArrivalClock();
    let worst = 0;
    for (let n = 1; n <= 6000; n++) {
      const heard = n * 0.01;
      const told = clock.push(480, heard + 0.012 + 0.05 * chance() ** 3);
      if (n > 200) worst = Math.max(worst, Math.abs(told - heard - 0.012));
    }
    expect(worst).toBeLessThan(0.002);
  });

  it.each([-300, 300])('follows a device whose clock is off by %i millionths', (ppm) => {
    const clock = new ArrivalClock();
    const chance = dice(2);
    let worst = 0;
    for (let n = 1; n <= 60_000; n++) {
      const heard = n * 0.01 * (1 + ppm / 1e6);
      worst = Math.max(worst, Math.abs(clock.push(480, heard + 0.01 * chance()) - heard));
    }
    expect(worst).toBeLessThan(0.012);
  });
});

describe('a flowing device', () => {
  /** Lays ten minutes of a device on a track; the answer is how far the end was from where it belongs, at most, after the first seconds. */
  const drift = (ppm: number, shiftSeconds: number): { worst: number; steps: number } => {
    const track = new TrackBuffer();
    const flow = new TrackFlow(track, new ArrivalClock(), shiftSeconds);
    const chance = dice(3);
    let [worst, steps] = [0, 0];
    for (let n = 1; n <= 60_000; n++) {
      const heard = n * 0.01 * (1 + ppm / 1e6);
      const before = track.end;
      flow.push(new Int16Array(960), heard + 0.01 * chance());
      track.read(before, track.end);
      if (n <= 300) continue;
      worst = Math.max(worst, Math.abs(track.end / SAMPLE_RATE - heard - shiftSeconds));
      steps = Math.max(steps, Math.abs(track.end - before - 480));
    }
    return { worst, steps };
  };

  it.each([0, -200, 200])('stays in time by steps nobody hears when its clock is off by %i millionths', (ppm) => {
    const { worst, steps } = drift(ppm, 0);
    expect(worst).toBeLessThan(0.015);
    expect(steps).toBeLessThanOrEqual(2);
  });

  it.each([-1.5, -0.1, 0.1, 2])('is moved by %f seconds when that is asked', (shift) => {
    expect(drift(0, shift).worst).toBeLessThan(0.015);
  });

  it('that lost a second of sound is in time again at once', () => {
    const track = new TrackBuffer();
    const flow = new TrackFlow(track, new ArrivalClock(), 0);
    for (let n = 1; n <= 1000; n++) flow.push(new Int16Array(960), n * 0.01 + (n > 300 ? 1 : 0));
    expect(track.end / SAMPLE_RATE).toBeCloseTo(11, 2);
  });

  it('is stretched without a step', () => {
    expect([...stretch(ramp(0, 5), 4)].filter((_, i) => i % 2 === 0)).toEqual([0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect([...stretch(ramp(0, 5), -2)].filter((_, i) => i % 2 === 0)).toEqual([0, 2, 4]);
    expect(stretch(ramp(0, 1), 3)).toHaveLength(2);
  });
});
