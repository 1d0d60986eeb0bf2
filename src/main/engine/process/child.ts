import { spawn } from 'node:child_process';
import { Duplex, Readable, Writable } from 'node:stream';
import { StudioError } from '../../../contract/errors.ts';
import { eachLine } from './lines.ts';
import { yieldToOthers } from './priority.ts';

const STDERR_LINES = 128;

export type ChildExit = {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** the newest lines of stderr, oldest first, at most 128 */
  stderr: readonly string[];
  ranMs: number;
  /** true when `stop` was called before the exit: an exit nobody asked for is a failure whatever its code */
  requested: boolean;
  /** set when the program could not be started at all */
  spawnError?: Error;
};

export type ChildOptions = {
  name: string;
  command: string;
  /** never a shell string */
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** opens file descriptor 3 as a pipe for lines from the child */
  onControlLine?: (line: string) => void;
  onStderrLine?: (line: string) => void;
  /** stdout: bytes to `onStdout`, or kept as a stream by `stdout` */
  onStdout?: (chunk: Buffer) => void;
  /** in place of `onStdout`: lines of text */
  onStdoutLine?: (line: string) => void;
  /** further pipes, each on its own file descriptor (4 and up) */
  extra?: readonly ExtraPipe[];
};

/** A further pipe: bytes from the child as they come, or our end of one that the child reads. */
export type ExtraPipe = { fd: number; onData: (chunk: Buffer) => void } | { fd: number; feed: (out: Writable) => void };

export type StopOptions = {
  /** written to stdin first (ffmpeg ends cleanly on `q`) */
  quit?: string;
  quitMs?: number;
  termMs?: number;
};

/** A running child process. It is always reaped; `exited` never rejects. */
export interface Child {
  readonly name: string;
  readonly pid: number | undefined;
  readonly stdin: Writable;
  readonly exited: Promise<ChildExit>;
  stderrTail(): readonly string[];
  /** `quit` on stdin, then SIGTERM, then SIGKILL, each after its time; resolves when the child is gone. */
  stop(options?: StopOptions): Promise<ChildExit>;
  kill(): void;
}

/** Resolves true when `promise` settles within `ms`, else false. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** stdin, stdout, stderr, the control lines' 3 and the extra ones; what lies between is closed to the child. */
function stdioOf({ onControlLine, extra = [] }: ChildOptions): ('pipe' | 'ignore')[] {
  const last = Math.max(3, ...extra.map(({ fd }) => fd));
  const wanted = new Set([0, 1, 2, ...(onControlLine ? [3] : []), ...extra.map(({ fd }) => fd)]);
  return Array.from({ length: last + 1 }, (_, fd) => (wanted.has(fd) ? 'pipe' : 'ignore'));
}

/** Starts a program. A program that cannot be started still gives a `Child`, whose exit carries `spawnError`. */
export function startChild(options: ChildOptions): Child {
  const startedAt = performance.now();
  const child = spawn(options.command, [...options.args], {
    stdio: stdioOf(options),
    env: options.env ?? process.env,
    windowsHide: true,
  });
  const { stdin, stdout, stderr: errors } = child;
  if (!stdin || !stdout || !errors) throw new Error(`${options.name}: no pipes to the child`);
  const stderr: string[] = [];
  let requested = false;

  stdin.on('error', () => undefined); // EPIPE when the child ends first; its exit tells
  if (options.onStdout) stdout.on('data', options.onStdout);
  else if (options.onStdoutLine) eachLine(stdout, options.onStdoutLine);
  else stdout.resume();
  stdout.on('error', () => undefined);
  eachLine(errors, (line) => {
    stderr.push(line);
    if (stderr.length > STDERR_LINES) stderr.shift();
    options.onStderrLine?.(line);
  });
  const control = child.stdio[3];
  if (options.onControlLine && control instanceof Readable) eachLine(control, options.onControlLine);
  for (const pipe of options.extra ?? []) {
    const stream = child.stdio.at(pipe.fd);
    stream?.on('error', () => undefined);
    if ('onData' in pipe) stream?.on('data', pipe.onData);
    else if (stream instanceof Writable || stream instanceof Duplex) pipe.feed(stream);
  }

  const exited = new Promise<ChildExit>((resolve) => {
    const settle = (code: number | null, signal: NodeJS.Signals | null, spawnError?: Error): void =>
      resolve({
        code,
        signal,
        stderr,
        ranMs: performance.now() - startedAt,
        requested,
        ...(spawnError ? { spawnError } : {}),
      });
    child.once('error', (error) => {
      if (child.pid === undefined) settle(null, null, error);
    });
    // 'close' and not 'exit': only then have stdout and stderr been read to their end
    child.once('close', (code, signal) => settle(code, signal));
  });

  const signalChild = (signal: NodeJS.Signals): void => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) child.kill(signal);
  };

  return {
    name: options.name,
    pid: child.pid,
    stdin,
    exited,
    stderrTail: () => stderr,
    kill: () => signalChild('SIGKILL'),
    async stop({ quit, quitMs = 1500, termMs = 1500 } = {}) {
      requested = true;
      if (quit !== undefined && stdin.writable) {
        stdin.write(quit);
        if (await within(exited, quitMs)) return exited;
      }
      signalChild('SIGTERM');
      if (await within(exited, termMs)) return exited;
      signalChild('SIGKILL');
      return exited;
    },
  };
}

export type RunOptions = {
  timeoutMs: number;
  signal?: AbortSignal;
  maxOutputBytes?: number;
  env?: NodeJS.ProcessEnv;
  /** written to its standard input, which ends then */
  input?: Uint8Array;
  /** it lets everything else on the computer go first */
  background?: boolean;
};

/**
 * Runs a program to its end and gives its output. Errors: `internal` with the cause when it cannot be started, does not end
 * in time or prints more than allowed; `cancelled` by the signal. A non-zero exit is not an error here.
 */
export async function runToEnd(
  command: string,
  args: readonly string[],
  { timeoutMs, signal, maxOutputBytes = 16 * 1024 * 1024, env, input, background = false }: RunOptions,
): Promise<{ code: number | null; stdout: Buffer; stderr: readonly string[] }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let failure: StudioError | undefined;
  const child = startChild({
    name: command,
    command,
    args,
    ...(env ? { env } : {}),
    onStdout: (chunk) => {
      bytes += chunk.length;
      if (bytes > maxOutputBytes) giveUp('it printed more than expected');
      else chunks.push(chunk);
    },
  });
  const giveUp = (why: string): void => {
    failure ??= new StudioError(
      'internal',
      `A helper program was stopped: ${why}.`,
      'Try again; the log holds the details.',
    );
    child.kill();
  };
  const onAbort = (): void => {
    failure ??= new StudioError('cancelled', 'Cancelled.', 'Ask again when you want it.');
    child.kill();
  };
  const timer = setTimeout(() => giveUp(`it did not end within ${timeoutMs} ms`), timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  if (background) yieldToOthers(child.pid);
  child.stdin.end(input);
  const exit = await child.exited;
  clearTimeout(timer);
  signal?.removeEventListener('abort', onAbort);
  if (exit.spawnError) {
    throw new StudioError('internal', 'A helper program could not be started.', 'Check that ffmpeg is installed.', {
      cause: exit.spawnError,
    });
  }
  if (failure) throw failure;
  return { code: exit.code, stdout: Buffer.concat(chunks), stderr: exit.stderr };
}
