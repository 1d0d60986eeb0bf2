/** node_modules as package-lock.json wants it. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ROOT, run, say, shown, Stop } from './run.mjs';

const LOCK = join(ROOT, 'package-lock.json');
/** npm writes this one last, so it stands for a finished installation. */
const INSTALLED = join(ROOT, 'node_modules', '.package-lock.json');
const STAMP = join(ROOT, 'node_modules', '.pitwall-packages');
const INSTALL_LIMIT_MS = 30 * 60_000;

/** @typedef {{ version?: string, optional?: boolean, devOptional?: boolean, link?: boolean }} LockedPackage */

/**
 * Installs what package-lock.json names unless it is there already.
 * @param {{ install: boolean, env?: NodeJS.ProcessEnv }} options
 * Errors: `Stop` 2 when something is missing and may not be installed, 1 when npm failed.
 */
export async function ensurePackages(options) {
  if (packagesAreFresh()) return;
  const argv = [...npm(), 'ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional', '--loglevel=error'];
  const typed = 'npm ci';
  if (!options.install) {
    throw new Stop(`the npm packages are missing or out of date: run \`${typed}\`, or leave out --no-install.`, 2);
  }
  say('installing the npm packages');
  process.stderr.write(`$ ${shown(['npm', ...argv.slice(npm().length)])}\n`);
  const result = await run(argv, { timeoutMs: INSTALL_LIMIT_MS, env: { ...process.env, ...options.env } });
  if (!result.ok) {
    throw new Stop(
      result.timedOut
        ? `npm was still installing after ${INSTALL_LIMIT_MS / 60_000} minutes: check the network, then run \`${typed}\`.`
        : `npm could not install the packages (exit code ${result.code}): its reason is above; when it is solved, try again.`,
    );
  }
  writeStamp();
}

/** Whether node_modules holds what package-lock.json names, for this kind of machine. */
function packagesAreFresh() {
  const stamp = stampOfNow();
  if (stamp === undefined) return false;
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return true;
  // Someone ran npm by hand: believe npm's own record of what it installed.
  if (!existsSync(LOCK) || !recordMatchesLock()) return false;
  writeStamp();
  return true;
}

function stampOfNow() {
  if (!existsSync(INSTALLED)) return undefined;
  return createHash('sha256')
    .update(`${process.platform} ${process.arch}\n`)
    .update(readFileSync(LOCK))
    .update('\n')
    .update(readFileSync(INSTALLED))
    .digest('hex');
}

function writeStamp() {
  const stamp = stampOfNow();
  if (stamp !== undefined) writeFileSync(STAMP, stamp);
}

function recordMatchesLock() {
  const wanted = packagesOf(LOCK);
  const installed = packagesOf(INSTALLED);
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link === true) return true;
    const found = installed[path];
    // Optional ones are left out for other systems, or when their download failed.
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version;
  });
}

/** @param {string} file @returns {Record<string, LockedPackage>} */
function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
}

/**
 * npm as a program and first arguments: the one that runs us, else the one beside this Node, else whatever PATH has.
 * Windows cannot start npm.cmd without a shell, hence npm-cli.js wherever it can be found.
 * @returns {string[]}
 */
export function npm() {
  const besideNode = dirname(process.execPath);
  const candidates = [
    process.env['npm_execpath'] ?? '',
    join(besideNode, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(besideNode, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ];
  const cli = candidates.find((file) => basename(file) === 'npm-cli.js' && existsSync(file));
  return cli === undefined ? ['npm'] : [process.execPath, cli];
}
