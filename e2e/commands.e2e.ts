/** `npm start` as people and scripts use it: DESIGN section 3, "Commands" and "Flags". */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';

const root = path.resolve(import.meta.dirname, '..');
const start = [process.execPath, 'scripts/start.mjs'];
const Ready = z.strictObject({
  event: z.literal('ready'),
  url: z.url(),
  rtmp: z.string().startsWith('rtmp://127.0.0.1:'),
  pid: z.int().positive(),
});
const Status = z.looseObject({ state: z.string() });

let folder = '';
/** process groups of this test, ended whatever happens */
let groups: number[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pitwall-commands-'));
  groups = [];
});
afterEach(() => {
  for (const group of groups) {
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // it ended by itself, as it should
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

const ownFolders = (): string[] => [
  ...['--no-install', '--no-open', '--port', '0', '--rtmp-port', '0'],
  ...['--data', path.join(folder, 'data'), '--clips', path.join(folder, 'clips')],
];

type Run = { child: ChildProcess; out: () => string; err: () => string; exit: Promise<number | null> };

function run(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '', ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) groups.push(child.pid);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const exit = once(child, 'exit').then(() => child.exitCode);
  return { child, out: () => out, err: () => err, exit };
}

/** The ready line, which must be all there is on stdout (npm's own banner aside). */
async function ready(studio: Run): Promise<z.infer<typeof Ready>> {
  await expect.poll(() => studio.out(), { timeout: 60_000, message: studio.err() }).toMatch(/^\{.*\}\n$/m);
  const lines = studio.out().split('\n');
  return Ready.parse(JSON.parse(lines.find((line) => line.startsWith('{')) ?? ''));
}

async function live(url: string): Promise<void> {
  const state = async (): Promise<string> =>
    Status.parse(await (await fetch(new URL('/api/status', url))).json()).state;
  await expect.poll(state, { timeout: 20_000 }).toBe('live');
}

/** Parent and state from proc(5) `stat`; undefined once the process is gone or only waits to be reaped. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

function withDescendants(pid: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = all.map(Number).filter((other) => parentOf(other) === pid);
  return [pid, ...children.flatMap(withDescendants)];
}

const alive = (pids: readonly number[]): number[] => pids.filter((pid) => parentOf(pid) !== undefined);

describe.runIf(process.platform === 'linux')('npm start', () => {
  test('prints one ready line, turns live, and SIGTERM to its pid ends it with code 0 and no child left', async () => {
    const stamp = statSync(path.join(root, 'out/.stamp')).mtimeMs;
    const flags = ['--headless', '--source', 'test-pattern', '--start', ...ownFolders()];
    const studio = run(['npm', 'start', '--silent', '--', ...flags]);
    const { url, pid } = await ready(studio);
    await live(url);
    const family = withDescendants(pid);
    expect(family.length).toBeGreaterThanOrEqual(3); // itself, ffmpeg, the RTMP server

    process.kill(pid, 'SIGTERM');
    expect(await studio.exit).toBe(0);
    await expect.poll(() => alive(family), { timeout: 5000 }).toEqual([]);
    expect(studio.out().trim().split('\n')).toHaveLength(1);
    expect(statSync(path.join(root, 'out/.stamp')).mtimeMs).toBe(stamp);
  });

  test.for(['SIGKILL', 'SIGTERM'] as const)(
    'npm ended by %s takes the studio and its children along',
    async (signal) => {
      const studio = run(['npm', 'start', '--', '--headless', '--source', 'test-pattern', '--start', ...ownFolders()]);
      const { url, pid } = await ready(studio);
      await live(url);
      const family = withDescendants(pid);
      studio.child.kill(signal);
      await expect.poll(() => alive(family), { timeout: 10_000 }).toEqual([]);
    },
  );

  test('a terminal that closes ends it', async () => {
    // util-linux script(1) holds the terminal; its end hangs it up.
    const command = [
      'npm',
      'start',
      '--silent',
      '--',
      '--headless',
      '--source',
      'test-pattern',
      '--start',
      ...ownFolders(),
    ];
    const terminal = run(['script', '--quiet', '--flush', '--command', command.join(' '), '/dev/null']);
    await expect.poll(() => /"pid":\d+\}/.test(terminal.out()), { timeout: 60_000 }).toBe(true);
    const pid = Number(/"pid":(\d+)\}/.exec(terminal.out())?.[1]);
    const family = withDescendants(pid);
    terminal.child.kill('SIGKILL');
    await expect.poll(() => alive(family), { timeout: 5000 }).toEqual([]);
  });

  test('without a display it says in one line that the studio opens in the browser', async () => {
    const studio = run([...start, ...ownFolders()]);
    const { url, pid } = await ready(studio);
    expect(studio.err().match(/^pitwall: .*$/gm)).toEqual([
      'pitwall: There is no display here, so the same studio opens in the browser.',
    ]);
    expect(await (await fetch(url)).text()).toContain('<title>Pitwall');
    process.kill(pid, 'SIGTERM');
    expect(await studio.exit).toBe(0);
  });
});

describe.runIf(process.platform === 'linux')('Electron', () => {
  /** A folder with a program in Electron's place, written in sh. */
  function electron(body: string): NodeJS.ProcessEnv {
    const file = path.join(folder, 'electron');
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
    return { DISPLAY: ':0', ELECTRON_OVERRIDE_DIST_PATH: folder, ELECTRON_RUN_AS_NODE: '1' };
  }

  test('gets the application and the flags; its exit code is ours', async () => {
    const studio = run(
      [...start, '--no-install', '--port', '0'],
      electron('echo "args $* node=$ELECTRON_RUN_AS_NODE"; exit 7'),
    );
    expect(await studio.exit).toBe(7);
    expect(studio.out()).toBe(`args ${root} --no-install --port 0 node=\n`);
  });

  test('is told of SIGTERM', async () => {
    const studio = run(start, electron("trap 'echo told; exit 0' TERM; echo up; while :; do sleep 0.1; done"));
    await expect.poll(() => studio.out(), { timeout: 20_000 }).toBe('up\n');
    studio.child.kill('SIGTERM');
    expect(await studio.exit).toBe(0);
    expect(studio.out()).toBe('up\ntold\n');
  });

  test.for([
    ['kill -TRAP $$', 'ended by SIGTRAP'],
    ['exit 127', 'a system library it needs is missing'],
  ])('that cannot run here (%s) gives way to the browser', async ([body = '', reason = '']) => {
    const studio = run([...start, ...ownFolders()], electron(body));
    const { pid } = await ready(studio);
    expect(studio.err().match(/^pitwall: .*$/gm)).toEqual([
      `pitwall: Electron does not run here (${reason}), so the same studio opens in the browser.`,
    ]);
    process.kill(pid, 'SIGTERM');
    expect(await studio.exit).toBe(0);
  });
});

describe('bad usage and missing things', () => {
  const runToEnd = (
    argv: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): { code: number | null; out: string; err: string } => {
    const [program = '', ...args] = argv;
    const result = spawnSync(program, args, {
      cwd: root,
      env: { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '', ...env },
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { code: result.status, out: result.stdout, err: result.stderr };
  };

  test.for([
    [['--bogus'], '--bogus'],
    [['--port', 'x'], '--port'],
    [['--headless', '--replay-mb', '0'], '--replay-mb'],
    [['--start'], '--source'],
  ] as const)('%j: exit code 2 and one line that names it', ([flags, named]) => {
    const { code, out, err } = runToEnd([...start, ...flags]);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toContain(named);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  test('--help and --version answer on stdout and start nothing', () => {
    const version = runToEnd([...start, '--version']);
    expect(version).toMatchObject({ code: 0, err: '' });
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = runToEnd([...start, '--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toContain('--rtmp-port');
  });

  test('--no-install without ffmpeg: the command that would install it, exit code 2', () => {
    symlinkSync(process.execPath, path.join(folder, 'node'));
    const { code, out, err } = runToEnd([...start, '--headless', '--no-install'], { PATH: folder, FFMPEG_PATH: '' });
    expect(err).toMatch(/^pitwall: missing: ffmpeg .*; (run `.*ffmpeg`|install it).*\.\n$/);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });
});

test('a build that was interrupted is done again, and only then', () => {
  const build = (): string => {
    const result = spawnSync(process.execPath, ['scripts/build.mjs'], {
      cwd: root,
      encoding: 'utf8',
      timeout: 120_000,
    });
    expect(result).toMatchObject({ status: 0, stdout: '' });
    return result.stderr;
  };
  const stamp = path.join(root, 'out/.stamp');
  rmSync(stamp, { force: true });
  expect(build()).toMatch(/^pitwall: built in [\d.]+ s\n$/);
  expect(existsSync(stamp)).toBe(true);
  expect(build()).toBe('');
});
