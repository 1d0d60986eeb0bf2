/**
 * When to start a failed child again. Only fast failures count (a child that ran longer than `healthyMs` starts afresh),
 * so a process that dies once a day never "uses up its tries".
 */
export type BackoffOptions = {
  /** waits after the first, second, … fast failure; after the last one we give up, or repeat it when `forever` */
  delaysMs: readonly number[];
  healthyMs: number;
  forever?: boolean;
};

export class Backoff {
  readonly #options: BackoffOptions;
  #fastFailures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get attempt(): number {
    return this.#fastFailures;
  }

  /** Milliseconds to wait before the next start, or `give-up`. */
  next(ranMs: number): number | 'give-up' {
    const { delaysMs, healthyMs, forever = false } = this.#options;
    if (ranMs >= healthyMs) this.#fastFailures = 0;
    this.#fastFailures++;
    const delay = delaysMs[this.#fastFailures - 1];
    if (delay !== undefined) return delay;
    return forever ? (delaysMs.at(-1) ?? 0) : 'give-up';
  }
}

/** A wait that ends early, without an error, when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
