import type { VideoCodec } from '../../../contract/index.ts';
import type { Log } from '../logging/log.ts';
import { Backoff, pause } from '../process/backoff.ts';
import { startChild, within, type Child } from '../process/child.ts';
import type { RingCursor } from '../replay/cursor.ts';
import type { ReplayRing } from '../replay/ring.ts';

/** What is run for a stream. */
export type FeedProgram = {
  command: string;
  /** it reads MPEG-TS from standard input */
  args: readonly string[];
  /** lines on file descriptor 3 */
  onControlLine?: (line: string) => void;
  /** called once, when it ended */
  done?: () => void;
};

/** Why a program that was fed ended although it was still wanted. */
export type FeedEnd = {
  /** `failed` it ended or could not be started · `frozen` it took nothing for ten seconds · `late` it did not say that it works in time */
  why: 'failed' | 'frozen' | 'late';
  /** what it wrote last on stderr, oldest first */
  stderr: readonly string[];
  /** what was thrown instead of starting it */
  thrown?: unknown;
  /** failures one after the other */
  attempt: number;
};

export type LiveFeedOptions = {
  name: string;
  ring: Pick<ReplayRing, 'openCursor'>;
  log: Log;
  delaysMs: readonly number[];
  /** bytes it may be behind before it goes on at the newest keyframe */
  behindBytes: number;
  /** False while there is nothing to be started; asked again twice a second. */
  ready: () => boolean;
  /** The program for a stream that begins with these packets (PAT and PMT). What it throws counts as a failed start. */
  program: (first: Uint8Array) => Promise<FeedProgram>;
  /** From its start to `works()`; without it nothing has to be said. */
  workMs?: number;
  /** takes secrets out of what the program wrote */
  clean?: (line: string) => string;
  onStart?: () => void;
  onEnd: (end: FeedEnd) => void;
  /** It has run for ten seconds. */
  onSteady?: () => void;
};

/** A program that takes nothing for this long hangs. */
const FROZEN_MS = 10_000;
const READY_POLL_MS = 500;
const STOP = { termMs: 800 } as const;

/**
 * Feeds what comes into the ring to a program, live, through a cursor of its own, for as long as a stream is followed. It only reads the
 * ring: whatever happens to the program, it is started again after a while and nothing else notices. Where the codec, the layout of
 * the program or the parameter sets change, it is ended cleanly and started anew.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  #codec: VideoCodec | undefined;
  #run: { readonly stop: AbortController; readonly over: Promise<void> } | undefined;
  #skippedBefore = 0;
  #cursor: RingCursor | undefined;
  #works = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  /** Times it went on at a newer picture because the program took the stream too slowly. */
  get skips(): number {
    return this.#skippedBefore + (this.#cursor?.skipped ?? 0);
  }

  /** The codec of the stream to feed, undefined when there is none (any more). The same again does nothing. */
  follow(codec: VideoCodec | undefined): void {
    if (codec === this.#codec) return;
    this.#codec = codec;
    const before = this.#run;
    before?.stop.abort();
    if (codec === undefined) return;
    const stop = new AbortController();
    this.#run = { stop, over: this.#keepRunning(before?.over, stop.signal) };
  }

  /** The program that runs now does what it is for: see `workMs`. */
  works(): void {
    this.#works = true;
  }

  /** Resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.follow(undefined);
    await this.#run?.over;
  }

  /** Never rejects. */
  async #keepRunning(before: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
    const { log, name, delaysMs, ready, onEnd } = this.#options;
    await before;
    const backoff = new Backoff({ delaysMs, healthyMs: 5000, forever: true });
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      if (!ready()) {
        await pause(READY_POLL_MS, signal);
        continue;
      }
      const startedAt = performance.now();
      const end = await this.#runOnce(signal).catch((thrown: unknown) => {
        log.warn({ err: thrown }, `${name} could not be started`);
        return { why: 'failed' as const, stderr: [], thrown };
      });
      if (isOver()) break;
      if (end === 'stream-ended') {
        log.info(`${name}: the stream changed; starting it anew`);
        // a stream that ends at once again and again must not spin
        if (performance.now() - startedAt < 100) await pause(100, signal);
        continue;
      }
      // what never did its work was not healthy, however long it hung
      const wait = backoff.next(this.#works ? performance.now() - startedAt : 0);
      const { attempt } = backoff;
      log.info({ why: end.why, attempt, said: end.stderr.at(-1) }, `${name} ended; starting it again`);
      onEnd({ ...end, attempt });
      await pause(wait === 'give-up' ? READY_POLL_MS : wait, signal);
    }
  }

  /** One program from start to end. */
  async #runOnce(signal: AbortSignal): Promise<Omit<FeedEnd, 'attempt'> | 'stream-ended'> {
    const { ring, name, behindBytes, program, workMs, clean = same, onStart, onSteady, log } = this.#options;
    const cursor = ring.openCursor({
      start: 'newest',
      whenLate: 'newest',
      maxBehindBytes: behindBytes,
      sameParameters: true,
    });
    this.#cursor = cursor;
    this.#works = workMs === undefined;
    let child: Child | undefined;
    let done: (() => void) | undefined;
    const over = new AbortController();
    const onAbort = (): void => over.abort();
    const timers: NodeJS.Timeout[] = [];
    try {
      // it begins with PAT and PMT
      const first = await cursor.next(signal);
      if (!first) return 'stream-ended';
      const { command, args, onControlLine, ...rest } = await program(first);
      done = rest.done;
      if (signal.aborted) return 'stream-ended';
      const running = startChild({
        ...{ name, command, args },
        ...(onControlLine ? { onControlLine } : {}),
        onStderrLine: (line) => log.debug({ line: clean(line) }, name),
      });
      child = running;
      onStart?.();
      let why: FeedEnd['why'] | 'stream-ended' = 'failed';
      signal.addEventListener('abort', onAbort, { once: true });
      void running.exited.then(onAbort);
      timers.push(setTimeout(() => onSteady?.(), FROZEN_MS));
      if (workMs !== undefined) {
        const late = (): void => {
          if (this.#works) return;
          why = 'late';
          over.abort();
        };
        timers.push(setTimeout(late, workMs));
      }
      let chunk: Uint8Array | null = first;
      while (chunk) {
        const answer = await taken(running, chunk, over.signal);
        if (answer === 'frozen') why = 'frozen';
        if (answer !== 'taken') break;
        chunk = await cursor.next(over.signal);
        if (!chunk && !over.signal.aborted) return 'stream-ended';
      }
      return { why, stderr: running.stderrTail().map(clean) };
    } finally {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#skippedBefore += cursor.skipped;
      this.#cursor = undefined;
      cursor.close();
      // the stream's end ends the program, and with it what it publishes; a hanging one is killed
      child?.stdin.end();
      if (child && !(await within(child.exited, 1000))) await child.stop(STOP);
      done?.();
    }
  }
}

const same = (line: string): string => line;

/** Writes a chunk and waits until the system took it. */
async function taken(child: Child, chunk: Uint8Array, signal: AbortSignal): Promise<'taken' | 'over' | 'frozen'> {
  if (signal.aborted) return 'over';
  return new Promise((resolve) => {
    const settle = (answer: 'taken' | 'over' | 'frozen'): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(answer);
    };
    const onAbort = (): void => settle('over');
    const timer = setTimeout(() => settle('frozen'), FROZEN_MS);
    signal.addEventListener('abort', onAbort, { once: true });
    child.stdin.write(chunk, (error) => settle(error ? 'over' : 'taken'));
  });
}
