import type { ProgressBlock } from '../ffmpeg/progress.ts';

type Sample = { at: number; frame: number; dup: number; drop: number; outTime: number };

export type Rates = {
  fps: number | null;
  speed: number | null;
  q: number | null;
  duplicated: number;
  dropped: number;
  duplicatedRecently: number;
  droppedRecently: number;
};

const WINDOW_SECONDS = 2;
const RECENT_SECONDS = 120;
/** progress comes every 0.25 s; later than this and the present counts as part of the measured time */
const LATE_SECONDS = 0.6;
/** the encoder's start-up burst of repeated and dropped pictures says nothing about the capture */
const START_SECONDS = 1;

/**
 * Rates over the last two seconds of our own clock: fps = delta(frame - dup) / dt, speed = delta(out_time) / dt.
 * While no progress arrives dt goes on growing, so a stopped encoder shows within two seconds, which ffmpeg's averages never do.
 * All times are seconds of one monotonic clock.
 */
export class RateWindow {
  #samples: Sample[] = [];
  #totals: { at: number; dup: number; drop: number }[] = [];
  #q: number | null = null;
  #startedAt: number | undefined;

  add(at: number, block: ProgressBlock): void {
    this.#startedAt ??= at;
    if (at - this.#startedAt < START_SECONDS) return;
    this.#samples.push({ at, frame: block.frame, dup: block.dup, drop: block.drop, outTime: block.outTime ?? 0 });
    if (block.q !== null) this.#q = block.q;
    // keep one sample older than the window as its baseline
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? at) <= at - WINDOW_SECONDS) this.#samples.shift();
    const last = this.#totals.at(-1);
    if (!last || at - last.at >= 1) this.#totals.push({ at, dup: block.dup, drop: block.drop });
    while (this.#totals.length > 2 && (this.#totals[1]?.at ?? at) <= at - RECENT_SECONDS) this.#totals.shift();
  }

  /** A new ffmpeg counts from zero again. */
  reset(): void {
    this.#samples = [];
    this.#totals = [];
    this.#q = null;
    this.#startedAt = undefined;
  }

  read(now: number): Rates {
    const newest = this.#samples.at(-1);
    const oldest = this.#totals[0];
    const counts = {
      duplicated: newest?.dup ?? 0,
      dropped: newest?.drop ?? 0,
      duplicatedRecently: newest && oldest ? newest.dup - oldest.dup : 0,
      droppedRecently: newest && oldest ? newest.drop - oldest.drop : 0,
    };
    const base = newest && (this.#samples.findLast((sample) => sample.at <= now - WINDOW_SECONDS) ?? this.#samples[0]);
    const until = newest && now - newest.at > LATE_SECONDS ? now : (newest?.at ?? now);
    const dt = base ? until - base.at : 0;
    if (!newest || !base || dt < 0.5) return { fps: null, speed: null, q: this.#q, ...counts };
    return {
      fps: Math.max(0, newest.frame - newest.dup - (base.frame - base.dup)) / dt,
      speed: Math.max(0, newest.outTime - base.outTime) / dt,
      q: this.#q,
      ...counts,
    };
  }
}

/** Bytes per second of a growing counter over the last two seconds. */
export class ByteRate {
  #samples: { at: number; bytes: number }[] = [];

  add(at: number, bytes: number): void {
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? at) <= at - WINDOW_SECONDS) this.#samples.shift();
  }

  reset(): void {
    this.#samples = [];
  }

  /** kbit/s, null until half a second was seen */
  kbps(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at - first.at < 0.5) return null;
    return ((last.bytes - first.bytes) * 8) / 1000 / (last.at - first.at);
  }
}
