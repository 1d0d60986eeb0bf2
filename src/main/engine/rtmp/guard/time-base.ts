import { LIMITS } from './limits.ts';

/**
 * One time line for the readers of a path, over any number of publishers. A publisher that comes back begins anew (OBS at 0 on every
 * connect); its times are moved so that they go on from where the last one ended plus the time in between, sound and picture by the
 * same amount, because an offset of its own for each track skews them (measured on node-media-server: 400 ms).
 */
export class TimeBase {
  readonly #now: () => number;
  /** the present publisher's times: the last one seen, unwrapped */
  #last: number | undefined;
  #offset: number | undefined;
  /** the newest time sent to readers, and when, both ms */
  #newest: { time: number; at: number } | undefined;
  readonly #tracks = new Map<number, number>();

  /** `now` is monotonic, ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Another publisher begins. `goOn` when there are readers who saw the one before. */
  restart(goOn: boolean): void {
    this.#last = undefined;
    this.#offset = undefined;
    if (goOn) return;
    this.#newest = undefined;
    this.#tracks.clear();
  }

  /** The time readers are now at, for headers that have none of their own. */
  get present(): number {
    return this.#newest?.time ?? 0;
  }

  /**
   * The readers' time of a message of `track`, ms; undefined when it would go back behind what that track already showed (the
   * first sound of a publisher may be older than its first picture).
   */
  place(track: number, timestamp: number): number | undefined {
    // 32 bit, in signed differences: 49.7 days in they begin at 0 again
    this.#last = this.#last === undefined ? timestamp : this.#last + ((timestamp - this.#last) | 0);
    const at = this.#now();
    const before = this.#tracks.get(track);
    // a publisher may begin anew without saying so
    const isBack = this.#offset !== undefined && this.#last + this.#offset < (before ?? 0) - LIMITS.backMs;
    if (isBack) this.#offset = undefined;
    if (this.#offset === undefined) {
      const newest = this.#newest;
      this.#offset = newest ? Math.round(newest.time + Math.max(40, at - newest.at)) - this.#last : 0;
    }
    const time = this.#last + this.#offset;
    if (time < 0 || (before !== undefined && time < before)) return undefined;
    this.#tracks.set(track, time);
    if (!this.#newest || time >= this.#newest.time) this.#newest = { time, at };
    return time;
  }
}
