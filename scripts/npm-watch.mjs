/**
 * Ends this process when the npm that runs it is gone. npm does not pass SIGTERM on, SIGKILL cannot be passed on, and a
 * shell stays between npm and its script (measured: the script's parent does not change), so npm's own process is watched.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const POLL_MS = 500;

/**
 * @typedef {object} ProcessFacts
 * @property {number} parent
 * @property {string} started when it started, in the system's own terms; tells a reused pid from the old process
 * @property {boolean} ended a zombie nobody has waited for
 * @property {string} title its command line as it shows it now
 */

/**
 * Starts watching and returns at once; the timer keeps nothing alive. When npm is gone this process gets a SIGTERM, which
 * it answers as it would anyone's. Nothing is done outside npm (the packaged app's launcher ends normally), nor on
 * Windows, where closing the console ends everything in it.
 */
export function watchNpm() {
  if (process.env['npm_lifecycle_event'] === undefined || process.platform === 'win32') return;
  const npm = findNpm();
  if (npm === undefined) return;
  const timer = setInterval(() => {
    if (isThere(npm)) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, POLL_MS);
  timer.unref();
}

/** The nearest ancestor that is a package manager. @returns {{ pid: number, started: string } | undefined} */
function findNpm() {
  let pid = process.ppid;
  while (pid > 0) {
    const facts = factsOf(pid);
    if (facts === undefined) return undefined;
    if (isPackageManager(facts.title)) return { pid, started: facts.started };
    pid = facts.parent;
  }
  return undefined;
}

/**
 * npm and npx set their title to `npm start`, `npm exec ...`; others show `node .../bin/pnpm start`. A shell that merely
 * has npm in its script (`sh -c "npm start"`) is none.
 * @param {string} title
 */
export function isPackageManager(title) {
  const [program = '', script = ''] = title.split(/[\0 ]/);
  const named = /(^|[\\/])(npm|npx|pnpm|yarn|bun)(-cli)?(\.c?js)?$/;
  return named.test(program) || (/(^|[\\/])node$/.test(program) && named.test(script));
}

/** @param {{ pid: number, started: string }} npm */
function isThere(npm) {
  if (process.platform === 'linux') {
    const facts = factsOf(npm.pid);
    return facts !== undefined && !facts.ended && facts.started === npm.started;
  }
  try {
    process.kill(npm.pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** @param {number} pid @returns {ProcessFacts | undefined} */
function factsOf(pid) {
  try {
    return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined;
  }
}

/** proc(5): the name is in parentheses and may hold anything, so the fields are counted from its last one. @param {number} pid */
function fromProc(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent = ''] = fields;
  return {
    parent: Number(parent),
    started: fields[19] ?? '',
    ended: state === 'Z' || state === 'X',
    title: readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
  };
}

/** @param {number} pid */
function fromPs(pid) {
  const line = execFileSync('ps', ['-o', 'ppid=,command=', '-p', String(pid)], {
    encoding: 'utf8',
    timeout: 5000,
  }).trim();
  const [, parent = '', title = ''] = /^(\d+)\s+(.*)$/s.exec(line) ?? [];
  return { parent: Number(parent), started: '', ended: false, title };
}
