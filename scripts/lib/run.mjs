/** Running other programs for the commands in scripts/: output to stderr, signals passed on, every wait bounded. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

/** The repository, with a trailing separator removed. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** How much of a captured output is kept: its end, where the error is. */
const CAPTURE_LIMIT = 1_000_000;

/** A foreseen end of a command: one sentence for people, and the exit code (2: something must be done first). */
export class Stop extends Error {
  /** @param {string} sentence @param {number} [exitCode] */
  constructor(sentence, exitCode = 1) {
    super(sentence);
    this.name = 'Stop';
    this.exitCode = exitCode;
  }
}

/** One line on stderr; stdout belongs to the studio's ready line. @param {string} line */
export function say(line) {
  process.stderr.write(`pitwall: ${line}\n`);
}

/** Whether a person sits in front of this process and can be asked (for a sudo password, nothing else). */
export const hasTerminal = () => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** A command as a person would type it. @param {readonly string[]} argv */
export const shown = (argv) =>
  argv.map((word) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');

/**
 * @typedef {object} RunOptions
 * @property {number} timeoutMs ends the child with SIGTERM, then SIGKILL
 * @property {NodeJS.ProcessEnv} [env]
 * @property {'stderr' | 'capture' | 'inherit'} [output] where the child's output goes; default stderr
 * @property {number} [graceMs] how long it may take to end by itself after SIGTERM; default 10 s
 * @property {boolean} [ownGroup] gives the child its own process group, so that a time-out ends its children too
 */

/**
 * @typedef {object} RunResult
 * @property {boolean} ok exit code 0 in time
 * @property {number} code exit code, 128 + n after signal n (as shells say it), 127 when it could not be started
 * @property {boolean} timedOut
 * @property {string} output the captured end of stdout and stderr without colours, if asked for
 */

/**
 * Runs one program to its end. Never rejects for what the program does. A signal that comes meanwhile is passed on and
 * ends this process once the child is gone.
 * @param {readonly string[]} argv program and arguments, never a shell
 * @param {RunOptions} options
 * @returns {Promise<RunResult>}
 */
export function run(argv, options) {
  const [program = '', ...args] = argv;
  const output = options.output ?? 'stderr';
  const group = options.ownGroup === true && process.platform !== 'win32';
  const input = hasTerminal() ? 'inherit' : 'ignore';
  const child = spawn(program, args, {
    cwd: ROOT,
    env: options.env ?? process.env,
    detached: group,
    windowsHide: true,
    stdio: output === 'capture' ? ['ignore', 'pipe', 'pipe'] : [input, output === 'inherit' ? 1 : 2, 2],
  });
  let captured = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => (captured = (captured + text).slice(-CAPTURE_LIMIT)));
  }

  return new Promise((resolve) => {
    let timedOut = false;
    /** @type {NodeJS.Timeout | undefined} */
    let killTimer;
    /** @param {NodeJS.Signals} signal */
    const kill = (signal) => {
      try {
        if (group && child.pid !== undefined) process.kill(-child.pid, signal);
        else child.kill(signal);
      } catch {
        // Already gone, or another user's (sudo): its own end is awaited either way.
      }
    };
    /** @param {NodeJS.Signals} signal */
    const end = (signal) => {
      kill(signal);
      killTimer ??= setTimeout(() => kill('SIGKILL'), options.graceMs ?? 10_000);
    };
    /** @type {NodeJS.Signals | undefined} */
    let asked;
    /** @param {NodeJS.Signals} signal */
    const onSignal = (signal) => {
      asked ??= signal;
      end(signal);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end('SIGTERM');
    }, options.timeoutMs);
    for (const signal of ENDING_SIGNALS) process.on(signal, onSignal);

    /** @param {number} code */
    const finish = (code) => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      if (group) kill('SIGKILL');
      for (const signal of ENDING_SIGNALS) process.removeListener(signal, onSignal);
      if (asked !== undefined) process.exit(exitCodeOf(null, asked));
      resolve({ ok: code === 0 && !timedOut, code, timedOut, output: stripVTControlCharacters(captured) });
    };
    child.once('error', (error) => {
      if (output === 'capture') captured += `${error.message}\n`;
      else say(`${program} cannot be started: ${error.message}`);
      finish(127);
    });
    child.once('close', (code, signal) => finish(exitCodeOf(code, signal)));
  });
}

/** @type {readonly NodeJS.Signals[]} */
export const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** @param {number | null} code @param {NodeJS.Signals | null} signal */
export function exitCodeOf(code, signal) {
  if (code !== null) return code;
  return signal === null ? 1 : 128 + (constants.signals[signal] ?? 0);
}

/**
 * The frame of every command: a `Stop` becomes its sentence and exit code; anything else is a fault of ours and keeps
 * its stack.
 * @param {() => Promise<number | void>} body its number is the exit code
 */
export async function command(body) {
  try {
    const code = await body();
    if (typeof code === 'number') process.exitCode = code;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    say(error.message);
    process.exitCode = error.exitCode;
  }
}
