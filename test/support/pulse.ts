import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { run } from './processes.ts';
import { until } from './wait.ts';

const DEADLINE_MS = 10_000;

/** A sound server of the test's own, with outputs that nobody hears. */
export interface Pulse {
  /** environment of programs that play to it */
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  /** Loads a module and answers with its number. */
  load(module: string, ...args: string[]): Promise<string>;
  unload(number: string): Promise<void>;
  /** Any other command of `pactl`. */
  pactl(...args: string[]): Promise<string>;
  /** Plays a sine to an output until the test ends or `stop`. */
  tone(sink: string, hertz: number): Promise<{ stop(): Promise<void> }>;
  stop(): Promise<void>;
}

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await over;
};

/**
 * Starts PulseAudio with its socket where clients with this runtime folder look for it, and nothing loaded. It ends with the test.
 * `home` is where it keeps its cookie.
 */
export async function startPulse(runtime: string, home: string): Promise<Pulse> {
  const folder = join(runtime, 'pulse');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const socket = join(folder, 'native');
  const { PULSE_SERVER: _other, ...inherited } = process.env;
  const env = {
    ...inherited,
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_RUNTIME_DIR: runtime,
    LC_ALL: 'C',
  };
  const child = spawn(
    'pulseaudio',
    [
      ...['--daemonize=no', '-n', '--exit-idle-time=-1', '--use-pid-file=no', '--log-target=stderr'],
      ...['-L', `module-native-protocol-unix auth-anonymous=1 socket=${socket}`],
    ],
    {
      env: { ...env, PULSE_RUNTIME_PATH: folder, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' },
      stdio: 'ignore',
    },
  );
  onTestFinished(async () => ended(child));
  const client = { ...env, PULSE_SERVER: `unix:${socket}` };
  const pactl = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run('pactl', args, { env: client });
    if (code !== 0) throw new Error(`pactl ${args.join(' ')}: ${stderr}`);
    return stdout.toString('utf8').trim();
  };
  await until('PulseAudio to answer', DEADLINE_MS, async () => pactl('info'));
  if (child.pid === undefined) throw new Error('PulseAudio has no process');
  return {
    env: client,
    pid: child.pid,
    pactl,
    load: async (module, ...args) => pactl('load-module', module, ...args),
    unload: async (number) => {
      await pactl('unload-module', number);
    },
    tone: async (sink, hertz) => {
      const sine = ['-re', '-f', 'lavfi', '-i', `sine=frequency=${hertz}:sample_rate=48000`];
      const player = spawn(
        'ffmpeg',
        [
          '-hide_banner',
          '-loglevel',
          'error',
          ...sine,
          '-f',
          'pulse',
          '-device',
          sink,
          '-buffer_duration',
          '400',
          'tone',
        ],
        { env: client, stdio: 'ignore' },
      );
      onTestFinished(async () => ended(player));
      await until(`something to play to ${sink}`, DEADLINE_MS, async () => pactl('list', 'short', 'sink-inputs'));
      return { stop: async () => ended(player) };
    },
    stop: async () => ended(child),
  };
}
