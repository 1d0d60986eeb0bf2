import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { locateFfmpeg, type Ffmpeg } from '../../src/main/engine/ffmpeg/locate.ts';

/** What a bench works with; everything given to `onEnd` is undone when it ends, last first, however it ends. */
export type Bench = {
  readonly tools: Ffmpeg;
  /** a temporary folder, removed at the end */
  readonly folder: string;
  /** `--seconds=N` of the command line */
  readonly seconds: number | undefined;
  onEnd(undo: () => Promise<unknown>): void;
};

/** An end that hangs must not keep the others from ending. */
const UNDO_MS = 10_000;

/** A paragraph of the report, on stdout. */
export const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/**
 * Runs one bench: finds ffmpeg, names the machine (cores and ffmpeg's version, nothing else), and closes what the bench started, by
 * itself, on failure and on a signal alike. A failure sets the exit code to 1.
 */
export async function runBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: 'string' } }, strict: false });
  const seconds = typeof values.seconds === 'string' ? Number(values.seconds) : undefined;
  if (seconds !== undefined && !(seconds > 0)) throw new Error('--seconds=N needs a positive number');

  const undos: (() => Promise<unknown>)[] = [];
  const stopped = new AbortController();
  const end = async (): Promise<void> => {
    for (let undo = undos.pop(); undo; undo = undos.pop()) {
      await deadline(UNDO_MS, 'the end of a process', undo()).catch((error: unknown) =>
        say(`closing: ${String(error)}`),
      );
    }
  };
  const onEnd: Bench['onEnd'] = (undo) => {
    undos.push(undo);
    // started while everything else was already being ended
    if (stopped.signal.aborted) void end();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      stopped.abort();
      void end().then(() => process.exit(1));
    });
  }
  try {
    const tools = await locateFfmpeg(process.env, pino({ level: 'silent' }));
    const folder = await mkdtemp(path.join(tmpdir(), 'pitwall-bench-'));
    undos.push(async () => rm(folder, { recursive: true, force: true }));
    // a busy machine makes every figure worse, and unequally
    say(
      `${availableParallelism()} cores, ffmpeg ${tools.version}, load at the start ${loadavg()[0]?.toFixed(1) ?? '?'}`,
    );
    await work({ tools, folder, seconds, onEnd });
  } catch (error) {
    if (!stopped.signal.aborted)
      say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
  } finally {
    await end();
  }
}

export const pause = async (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Rejects when `work` takes longer than `ms`. */
export async function deadline<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks every 50 ms until the answer is not undefined. Errors: rejects after `ms`. */
export async function until<T>(ms: number, what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await pause(50);
  }
}
