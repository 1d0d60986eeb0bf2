import { StudioError } from '../../../contract/errors.ts';

type Job<T> = { controller: AbortController; result: Promise<T>; waiters: number };

/**
 * Work that several may wait for, one piece at a time. Who asks for what is already under way joins it; work nobody waits for any more is
 * cancelled.
 */
export class SharedJobs<T> {
  readonly #jobs = new Map<string, Job<T>>();
  readonly #maxJobs: number;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** `maxJobs`: under way and waiting together. */
  constructor(maxJobs: number) {
    this.#maxJobs = maxJobs;
  }

  get size(): number {
    return this.#jobs.size;
  }

  /** Errors: `cancelled` by `signal` or `close`, `conflict` when too many are waiting, and what `work` throws. */
  async run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal.aborted || this.#closed) throw cancelled();
    const job = this.#jobs.get(key) ?? this.#add(key, work);
    job.waiters += 1;
    let onAbort: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      onAbort = () => reject(cancelled());
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([job.result, left]);
    } finally {
      if (onAbort) signal.removeEventListener('abort', onAbort);
      job.waiters -= 1;
      if (job.waiters === 0) this.#end(key, job);
    }
  }

  /** Cancels everything; resolves when the last has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const [key, job] of this.#jobs) this.#end(key, job);
    await this.#last;
  }

  #add(key: string, work: (signal: AbortSignal) => Promise<T>): Job<T> {
    if (this.#jobs.size >= this.#maxJobs) {
      throw new StudioError('conflict', 'Too many previews are being made at once.', 'Wait for the earlier ones.');
    }
    const controller = new AbortController();
    const result = this.#last.then(async () => {
      if (controller.signal.aborted) throw cancelled();
      return work(controller.signal);
    });
    this.#last = result.catch(() => undefined); // told to those who wait; the next one starts all the same
    const job: Job<T> = { controller, result, waiters: 0 };
    this.#jobs.set(key, job);
    return job;
  }

  #end(key: string, job: Job<T>): void {
    job.controller.abort();
    // the next to ask for the same waits for its own
    if (this.#jobs.get(key) === job) this.#jobs.delete(key);
  }
}

const cancelled = (): StudioError => new StudioError('cancelled', 'Cancelled.', 'Ask again when you want it.');
