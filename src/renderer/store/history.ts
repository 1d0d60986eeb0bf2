import type { Health } from '../../contract/health.ts';

/** One health report as it arrived. `at` is this page's clock, milliseconds. */
export type HealthSample = {
  readonly at: number;
  readonly fps: number | null;
  readonly speed: number | null;
  readonly bitrateKbps: number | null;
  /** pictures dropped and repeated since the capture started */
  readonly dropped: number;
};

const HISTORY_MS = 60_000;
/** Four reports a second for the last minute: a bound, should an engine ever report faster. */
const MAX_SAMPLES = 240;

/** Appends a report and forgets what is older than a minute. */
export function withSample(history: readonly HealthSample[], health: Health, at: number): readonly HealthSample[] {
  const sample: HealthSample = {
    at,
    fps: health.fps,
    speed: health.speed,
    bitrateKbps: health.bitrateKbps,
    dropped: health.dropped,
  };
  return [...history.filter((old) => old.at > at - HISTORY_MS), sample].slice(-MAX_SAMPLES);
}

/** Pictures dropped between one report and the next; a counter that starts again (a new capture) counts as no drop. */
export function dropSteps(history: readonly HealthSample[]): { at: number; value: number }[] {
  return history.map((sample, index) => {
    const before = history[index - 1];
    return { at: sample.at, value: before ? Math.max(0, sample.dropped - before.dropped) : 0 };
  });
}
