/** Electron's binary: where it is, fetching it, running it. Its npm package holds none, it is a download of its own. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isProgram } from './find.mjs';
import { ENDING_SIGNALS, exitCodeOf, ROOT, run } from './run.mjs';

const PACKAGE = join(ROOT, 'node_modules', 'electron');
const MEMORY = join(ROOT, 'node_modules', '.cache', 'pitwall');
const FAILURE = join(MEMORY, 'electron.json');
const FETCH_LIMIT_MS = 10_000;
const REMEMBERED_MS = 24 * 3600_000;
/** An Electron that ends by a crash or for want of a library within this time never showed its window. */
const EARLY_MS = 15_000;
const FETCHED_BY = 'fetched by `node node_modules/electron/install.js`';
const BY_HAND = '`node node_modules/electron/install.js` tries again without a time limit';

/** @typedef {{ program: string } | { reason: string }} Found `reason` begins a sentence, without a full stop */

/**
 * Electron's program, fetched if need be (10 s at most; a failure is remembered for a day), or why there is none.
 * @param {{ install: boolean }} options
 * @returns {Promise<Found>}
 */
export async function findElectron(options) {
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) {
    return { reason: 'There is no display here' };
  }
  const present = installedElectron();
  if (present !== undefined) return { program: present };
  if (!options.install) return { reason: `Electron's program is not installed (${FETCHED_BY})` };
  if (failedLately()) return { reason: `Electron's program could not be downloaded within the last day (${BY_HAND})` };

  const fetched = await run([process.execPath, join(PACKAGE, 'install.js')], {
    timeoutMs: FETCH_LIMIT_MS - 500,
    graceMs: 0,
    output: 'capture',
    ownGroup: true,
  });
  const program = fetched.ok ? installedElectron() : undefined;
  if (program !== undefined) return { program };
  rememberFailure();
  const how = fetched.timedOut ? `not be downloaded within ${FETCH_LIMIT_MS / 1000} s` : 'not be downloaded';
  return { reason: `Electron's program could ${how} (${BY_HAND})` };
}

/** As electron/index.js looks for it, but never downloading. */
function installedElectron() {
  const pathFile = read(join(PACKAGE, 'path.txt'));
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  if (override !== undefined && override !== '') {
    const program = join(override, pathFile ?? platformPath());
    return isProgram(program) ? program : undefined;
  }
  if (pathFile === undefined || read(join(PACKAGE, 'dist', 'version'))?.replace(/^v/, '') !== packageVersion()) {
    return undefined;
  }
  const program = join(PACKAGE, 'dist', pathFile);
  return isProgram(program) ? program : undefined;
}

const platformPath = () =>
  ({ darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' })[String(process.platform)] ?? 'electron';

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** @returns {string | undefined} */
const packageVersion = () => JSON.parse(read(join(PACKAGE, 'package.json')) ?? '{}').version;

function failedLately() {
  try {
    const { version, at } = JSON.parse(readFileSync(FAILURE, 'utf8'));
    return version === packageVersion() && Math.abs(Date.now() - at) < REMEMBERED_MS;
  } catch {
    return false;
  }
}

function rememberFailure() {
  mkdirSync(MEMORY, { recursive: true });
  writeFileSync(FAILURE, JSON.stringify({ version: packageVersion(), at: Date.now() }));
}

/**
 * Runs the studio in Electron until it ends; signals are passed on.
 * @param {string} program @param {readonly string[]} flags
 * @returns {Promise<{ code: number } | { reason: string }>} `reason` when Electron itself cannot run here
 */
export function runElectron(program, flags) {
  const env = { ...process.env };
  // Set by editors built on Electron for their own terminals: it would make this one a plain Node.
  delete env['ELECTRON_RUN_AS_NODE'];
  // Chromium refuses to run as root with its sandbox.
  if (process.getuid?.() === 0) env['ELECTRON_DISABLE_SANDBOX'] = '1';
  const started = performance.now();
  const child = spawn(program, [ROOT, ...flags], { cwd: ROOT, env, stdio: 'inherit' });
  let asked = false;
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    asked = true;
    // Ctrl+C in a terminal reaches the whole process group by itself.
    if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal);
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, passOn);
  return new Promise((resolve) => {
    /** @param {{ code: number } | { reason: string }} result */
    const finish = (result) => {
      for (const signal of ENDING_SIGNALS) process.removeListener(signal, passOn);
      resolve(result);
    };
    child.once('error', (error) => finish({ reason: `Electron cannot be started (${error.message})` }));
    child.once('exit', (code, signal) => {
      const crashed = signal !== null || code === 127;
      if (crashed && !asked && performance.now() - started < EARLY_MS) {
        const how = code === 127 ? 'a system library it needs is missing' : `ended by ${signal}`;
        finish({ reason: `Electron does not run here (${how})` });
      } else finish({ code: exitCodeOf(code, signal) });
    });
  });
}
