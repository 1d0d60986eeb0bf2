const WINDOW_MS = 2000;

/** Bytes and pictures over the last two seconds. */
export class RateMeter {
  readonly #now: () => number;
  #slots: { at: number; bytes: number; pictures: number }[] = [];
  #since: number | undefined;

  /** `now` is monotonic, ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  reset(): void {
    this.#slots = [];
    this.#since = undefined;
  }

  addBytes(bytes: number): void {
    this.#slot().bytes += bytes;
  }

  addPicture(): void {
    this.#slot().pictures += 1;
  }

  /** Undefined until half a second was seen. */
  read(): { kbps: number; fps: number } | undefined {
    const now = this.#now();
    const from = now - WINDOW_MS;
    const slots = this.#slots.filter(({ at }) => at >= from);
    const span = Math.min(WINDOW_MS, now - (this.#since ?? now)) / 1000;
    if (span < 0.5) return undefined;
    const sum = (of: (slot: { bytes: number; pictures: number }) => number): number =>
      slots.reduce((total, slot) => total + of(slot), 0);
    return {
      kbps: Math.round((sum(({ bytes }) => bytes) * 8) / 1000 / span),
      fps: Math.round((sum(({ pictures }) => pictures) / span) * 10) / 10,
    };
  }

  #slot(): { at: number; bytes: number; pictures: number } {
    const now = this.#now();
    this.#since ??= now;
    const last = this.#slots.at(-1);
    if (last && now - last.at < 100) return last;
    const slot = { at: now, bytes: 0, pictures: 0 };
    this.#slots.push(slot);
    if (this.#slots.length > 40) this.#slots.splice(0, this.#slots.length - 40);
    return slot;
  }
}
