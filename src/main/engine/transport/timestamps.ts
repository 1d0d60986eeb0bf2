/** PTS and DTS count 90 kHz ticks in 33 bits (ISO/IEC 13818-1 section 2.4.3.7) and wrap every 26.5 hours. */

export const TICKS_PER_SECOND = 90_000;
const WRAP = 2 ** 33;

/** `to - from` on the 33-bit circle, in [-2^32, 2^32): the shorter way round. */
export function ticksBetween(from: number, to: number): number {
  const delta = (to - from) % WRAP;
  if (delta >= WRAP / 2) return delta - WRAP;
  if (delta < -WRAP / 2) return delta + WRAP;
  return delta;
}

/**
 * Turns the wrapping timestamps of one PID into an ever-growing count. The first value is taken as it is; any number of wraps
 * follows as long as neighbours are less than half a circle (13 hours) apart.
 */
export class TimestampUnwrapper {
  #last = Number.NaN;

  /** The last unwrapped value, NaN before the first. */
  get last(): number {
    return this.#last;
  }

  unwrap(raw: number): number {
    this.#last = Number.isNaN(this.#last) ? raw : this.#last + ticksBetween(this.#last, raw);
    return this.#last;
  }

  reset(): void {
    this.#last = Number.NaN;
  }
}
