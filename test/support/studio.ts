import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import { SaveAnswer, SessionState, StatusDocument, type SaveRequest } from '../../src/contract/index.ts';
import { type Found, processesWith, run } from './processes.ts';
import { until, within } from './wait.ts';

const HEADLESS = resolve(import.meta.dirname, '../../out/main/headless.js');
const READY_MS = 30_000;
const STOP_MS = 12_000;
const ANSWER_MS = 30_000;

const Ready = z.strictObject({
  event: z.literal('ready'),
  url: z.string(),
  rtmp: z.string().nullable(),
  pid: z.int().positive(),
});

/** RFC 9457, as `/api/*` answers errors: `title` says what happened, `detail` what to do. */
const ProblemDocument = z.strictObject({
  type: z.string(),
  title: z.string().min(10),
  detail: z.string().min(10),
  status: z.int(),
  code: z.string(),
});

/** A refusal as the interface says it: this status, this code, a sentence and a remedy. */
export function expectProblem(answer: Answer, status: number, code: string): { title: string; detail: string } {
  expect({ status: answer.status, type: answer.headers.get('content-type') }, JSON.stringify(answer.body)).toEqual({
    status,
    type: 'application/problem+json; charset=utf-8',
  });
  const problem = ProblemDocument.parse(answer.body);
  expect(problem).toMatchObject({ status, code, type: `urn:pitwall:${code}` });
  return problem;
}

export type Answer = { status: number; headers: Headers; body: unknown };

export type StudioOptions = {
  /** an X display, `:N`; without one there is none */
  display?: string;
  /** further flags; `--port`, `--rtmp-port`, `--data` and `--clips` may be among them */
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
};

/** A studio's own world: nothing it does can touch the settings, the trash or the videos of whoever runs the tests. */
export type Scratch = {
  readonly folder: string;
  readonly data: string;
  readonly clips: string;
  /** the folder of the trash a deleted clip goes to */
  readonly trash: string;
  readonly env: NodeJS.ProcessEnv;
  /** `NAME=VALUE` in the environment of every process of this studio */
  readonly mark: string;
  remove(): void;
};

export function scratch({ display, env = {} }: Pick<StudioOptions, 'display' | 'env'> = {}): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'pitwall-e2e-'));
  const home = join(folder, 'home');
  for (const name of ['.local/share', '.config', '.cache', 'run']) {
    mkdirSync(join(home, name), { recursive: true, mode: 0o700 });
  }
  const id = randomUUID();
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(DISPLAY|WAYLAND_DISPLAY|XDG_.*|PULSE_.*|NODE_OPTIONS|npm_.*|VITEST.*|FFMPEG_PATH|FORCE_COLOR)$/.test(name),
  );
  return {
    folder,
    data: join(folder, 'data'),
    clips: join(folder, 'clips'),
    trash: join(home, '.local/share/Trash'),
    mark: `PITWALL_E2E=${id}`,
    env: {
      ...Object.fromEntries(inherited),
      HOME: home,
      XDG_DATA_HOME: join(home, '.local/share'),
      XDG_CONFIG_HOME: join(home, '.config'),
      XDG_CACHE_HOME: join(home, '.cache'),
      XDG_RUNTIME_DIR: join(home, 'run'),
      // a notification must not start a message bus that outlives the test
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
      PITWALL_E2E: id,
      ...(display === undefined ? {} : { DISPLAY: display }),
      ...env,
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const flagsFor = (place: Scratch, args: readonly string[]): string[] => {
  const defaults = { '--port': '0', '--rtmp-port': '0', '--data': place.data, '--clips': place.clips };
  const missing = Object.entries(defaults).filter(([flag]) => !args.includes(flag));
  return [HEADLESS, '--headless', '--no-open', ...missing.flat(), ...args];
};

/** Runs a studio that is expected to end by itself. */
export async function runStudio(
  options: StudioOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const place = scratch(options);
  try {
    const { code, stdout, stderr } = await run(process.execPath, flagsFor(place, options.args ?? []), {
      env: place.env,
      timeoutMs: READY_MS,
    });
    const left = processesWith(place.mark);
    if (left.length > 0) throw new Error(`left behind: ${killAll(left)}`);
    return { code, stdout: stdout.toString('utf8'), stderr };
  } finally {
    place.remove();
  }
}

/** What a user reads on stderr: everything but the log. */
export const sentences = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line !== '' && !/^\S+Z [A-Z]+ /.test(line));

export interface RunningStudio extends Scratch {
  readonly url: string;
  readonly port: number;
  /** null where the RTMP server did not come up */
  readonly rtmp: string | null;
  readonly pid: number;
  /** the log, as printed on stderr */
  readonly lines: readonly string[];
  status(): Promise<StatusDocument>;
  /** Any request under the studio's address. */
  api(method: string, path: string, body?: unknown): Promise<Answer>;
  start(source: string): Promise<SessionState>;
  stopCapture(): Promise<SessionState>;
  /** Saves and expects 201. */
  save(request?: SaveRequest): Promise<SaveAnswer>;
  /** Resolves with the status once its state is `name`. */
  reaches(name: StatusDocument['state'], ms?: number): Promise<StatusDocument>;
  /** Resolves once at least `seconds` of replay are held. */
  holds(seconds: number, ms?: number): Promise<StatusDocument>;
  processes(): Found[];
  /** pid of the capturing ffmpeg */
  ffmpeg(): number;
  /** Lines at ERROR level that match are no failure of this test. */
  expectErrors(pattern: RegExp): void;
  /** SIGKILL to the studio alone; resolves once every process of it is gone, which must be within five seconds. */
  crash(): Promise<void>;
  /** SIGTERM; exit code 0, no process left and no unexpected line at ERROR level, or it rejects. Called when the test ends. */
  stop(): Promise<void>;
}

/** Starts a studio for the running test and stops it when that ends. */
export async function startStudio(options: StudioOptions = {}): Promise<RunningStudio> {
  const place = scratch(options);
  const child = spawn(process.execPath, flagsFor(place, options.args ?? []), {
    env: place.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | string | null>((done) => {
    child.once('exit', (code, signal) => done(code ?? signal));
    child.once('error', (error) => done(String(error)));
  });
  const lines: string[] = [];
  const expected: RegExp[] = [];
  createInterface(child.stderr).on('line', (line) => void lines.push(line));
  const ready = new Promise<z.infer<typeof Ready>>((done, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      try {
        done(Ready.parse(JSON.parse(line)));
      } catch (error) {
        reject(new Error(`not a ready line: ${line}`, { cause: error }));
      }
    });
    void exited.then((how) => reject(new Error(`the studio ended with ${String(how)}:\n${lines.join('\n')}`)));
  });

  let stopping: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    const how = await within('the studio to end', STOP_MS, exited).catch((error: unknown) => {
      child.kill('SIGKILL');
      return String(error);
    });
    const left = processesWith(place.mark);
    const killed = killAll(left);
    const errors = lines.filter(
      (line) => /^\S+Z (ERROR|FATAL) /.test(line) && !expected.some((pattern) => pattern.test(line)),
    );
    place.remove();
    const complaints = [
      ...(how === 0 ? [] : [`it ended with ${String(how)} instead of 0`]),
      ...(left.length === 0 ? [] : [`it left behind: ${killed}`]),
      ...errors,
    ];
    if (complaints.length > 0) throw new Error(`${complaints.join('\n')}\nthe log:\n${lines.slice(-30).join('\n')}`);
  };
  const stop = (): Promise<void> => (stopping ??= end());
  const crash = async (): Promise<void> => {
    child.kill('SIGKILL');
    try {
      await within('the studio to end', 2000, exited);
      await until(
        'its children to end',
        5000,
        () => processesWith(place.mark),
        (left) => left.length === 0,
      );
    } finally {
      killAll(processesWith(place.mark));
      place.remove();
    }
  };
  onTestFinished(stop, 20_000);

  const info = await within('the ready line', READY_MS, ready);
  const { url, rtmp, pid } = info;
  const api: RunningStudio['api'] = async (method, path, body) => {
    const response = await fetch(new URL(path, url), {
      method,
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = text !== '' && (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  const ask = async (method: string, path: string, wanted: number, body?: unknown): Promise<unknown> => {
    const answer = await api(method, path, body);
    if (answer.status !== wanted)
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const status = async (): Promise<StatusDocument> => StatusDocument.parse(await ask('GET', '/api/status', 200));
  return {
    ...place,
    url,
    port: Number(new URL(url).port),
    rtmp,
    pid,
    lines,
    status,
    api,
    start: async (source) => SessionState.parse(await ask('POST', '/api/capture/start', 200, { source })),
    stopCapture: async () => SessionState.parse(await ask('POST', '/api/capture/stop', 200)),
    save: async (request = {}) => SaveAnswer.parse(await ask('POST', '/api/replays', 201, request)),
    reaches: (name, ms = 10_000) => until(`the state ${name}`, ms, status, ({ state }) => state === name),
    holds: (seconds, ms = 30_000) =>
      until(`${seconds} s of replay`, ms, status, ({ replay }) => replay.secondsHeld >= seconds),
    processes: () => processesWith(place.mark),
    ffmpeg: () => {
      const found = processesWith(place.mark).filter(({ command }) =>
        /ffmpeg (?!.*-i pipe:0).*-progress pipe:3/.test(command),
      );
      if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} capturing ffmpeg`);
      return found[0].pid;
    },
    expectErrors: (pattern) => void expected.push(pattern),
    crash: () => (stopping ??= crash()),
    stop,
  };
}

function killAll(found: readonly Found[]): string {
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it ended meanwhile
    }
  }
  return found.map(({ pid, command }) => `${pid} ${command.slice(0, 160)}`).join('; ');
}
