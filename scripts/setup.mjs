/**
 * Set-up: what the studio and its tests need, installed where it is missing. Also a command of its own:
 * `node scripts/setup.mjs [--tests] [--no-install]`.
 */
import './lib/node-version.mjs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensurePackages } from './lib/npm-packages.mjs';
import { aptListsAreEmpty, findManager } from './lib/package-manager.mjs';
import { RUNTIME_PROGRAMS, TEST_PROGRAMS } from './lib/programs.mjs';
import { command, run, say, shown, Stop } from './lib/run.mjs';

/** @typedef {import('./lib/programs.mjs').Program} Program */

const INSTALL_LIMIT_MS = 30 * 60_000;

/**
 * @typedef {object} Wanted
 * @property {boolean} [npm] the npm packages
 * @property {boolean} [ffmpeg] ffmpeg and ffprobe
 * @property {boolean} [tests] what the tests drive: Xvfb, Chromium, mpv, OpenCV and more
 * @property {boolean} [install] false: say what is missing instead of installing it. Default true
 */

/**
 * Makes sure of what is wanted; costs a few file look-ups when everything is there.
 * Errors: `Stop`, with exit code 2 when something is missing and may not or cannot be installed.
 * @param {Wanted} wanted
 */
export async function ensure(wanted) {
  const install = wanted.install ?? true;
  if (wanted.npm === true) await ensurePackages({ install });
  const programs = [
    ...(wanted.ffmpeg === true ? RUNTIME_PROGRAMS : []),
    ...(wanted.tests === true ? TEST_PROGRAMS : []),
  ].filter((program) => program.linuxOnly !== true || process.platform === 'linux');
  await ensurePrograms(programs, install);
}

/** @param {readonly Program[]} programs @param {boolean} install */
async function ensurePrograms(programs, install) {
  const missing = programs.filter((program) => program.find() === undefined);
  if (missing.length === 0) return;

  const manager = findManager();
  const packages = packagesOf(missing, manager);
  const remedy = manager === undefined || packages.length === 0 ? undefined : `${manager.byHand} ${packages.join(' ')}`;
  if (!install || manager === undefined || remedy === undefined || !manager.allowed) {
    return report(missing, remedy, install);
  }

  say(`${listed(missing)} missing; installing ${packages.join(', ')}`);
  const installed = await installWith(manager, packages);
  lookWhereInstallersPut();
  const still = missing.filter((program) => program.find() === undefined);
  if (still.length === 0) return;
  if (!installed) throw new Stop(`installing failed, its reason is above: run \`${remedy}\`, then try again.`, 2);
  report(still, undefined, true);
}

/**
 * Ends with a sentence, or, where only tests elsewhere than on Linux lack something, goes on with a notice.
 * @param {readonly Program[]} missing @param {string | undefined} remedy @param {boolean} install
 */
function report(missing, remedy, install) {
  const needed = missing.map((program) => `${program.name} (${program.why})`).join(', ');
  const required = missing.some((program) => RUNTIME_PROGRAMS.includes(program)) || process.platform === 'linux';
  const hint =
    remedy === undefined
      ? 'install it with the package manager of this system'
      : `run \`${remedy}\`${install ? '' : ', or leave out --no-install'}`;
  if (required) throw new Stop(`missing: ${needed}; ${hint}.`, 2);
  say(`missing: ${needed}; ${hint}. The tests that need it are skipped.`);
}

/** @param {readonly Program[]} programs */
const listed = (programs) =>
  `${programs.map((program) => program.name).join(', ')} ${programs.length === 1 ? 'is' : 'are'}`;

/** @param {readonly Program[]} programs @param {import('./lib/package-manager.mjs').Manager | undefined} manager */
function packagesOf(programs, manager) {
  if (manager === undefined) return [];
  const names = programs.map((program) => program.packages[manager.name]).filter((name) => name !== undefined);
  return [...new Set(names)];
}

/**
 * @param {import('./lib/package-manager.mjs').Manager} manager @param {readonly string[]} packages
 * @returns {Promise<boolean>}
 */
async function installWith(manager, packages) {
  const command = manager.install(packages);
  let refreshed = false;
  if (manager.refresh !== undefined && aptListsAreEmpty()) {
    await printAndRun(manager.refresh);
    refreshed = true;
  }
  if (await printAndRun(command)) return true;
  // Old lists name versions the mirror no longer has.
  if (manager.refresh === undefined || refreshed) return false;
  await printAndRun(manager.refresh);
  return printAndRun(command);
}

/** @param {readonly string[]} argv */
async function printAndRun(argv) {
  process.stderr.write(`$ ${shown(argv)}\n`);
  return (await run(argv, { timeoutMs: INSTALL_LIMIT_MS })).ok;
}

/** An installer changes PATH for later processes only. */
function lookWhereInstallersPut() {
  const local = process.env['LOCALAPPDATA'];
  const added =
    process.platform === 'win32' && local !== undefined
      ? [join(local, 'Microsoft', 'WinGet', 'Links')]
      : process.platform === 'darwin'
        ? ['/opt/homebrew/bin', '/usr/local/bin']
        : [];
  if (added.length > 0) process.env['PATH'] = [process.env['PATH'] ?? '', ...added].join(delimiter);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await command(async () => {
    const flags = process.argv.slice(2);
    const unknown = flags.find((flag) => flag !== '--tests' && flag !== '--no-install');
    if (unknown !== undefined) throw new Stop(`set-up knows --tests and --no-install, not ${unknown}.`, 2);
    await ensure({
      npm: true,
      ffmpeg: true,
      tests: flags.includes('--tests'),
      install: !flags.includes('--no-install'),
    });
    say('everything is set up');
  });
}
