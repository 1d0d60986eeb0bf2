/**
 * Whether package-lock.json installs on every platform. npm writes locks that lack the packages of other systems when
 * these could not be resolved at the time, and `npm ci` refuses such a lock only there; so it is looked for here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './lib/run.mjs';

/** @typedef {{ version?: string, resolved?: string, integrity?: string, link?: boolean }
 *   & Partial<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>>} Locked */

const KINDS = /** @type {const} */ (['dependencies', 'devDependencies', 'optionalDependencies']);
const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;
const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';

/**
 * @param {{ packages: Record<string, Locked> }} lock @param {Locked} manifest package.json
 * @returns {string[]} one sentence for each fault
 */
export function faultsOfLock(lock, manifest) {
  const { packages } = lock;
  const faults = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (!isReachable(packages, path, name))
        faults.push(`${path || 'package.json'} wants ${name}, which is not in the lock`);
    }
    if (entry.resolved !== undefined && !entry.resolved.startsWith(PUBLIC_REGISTRY)) {
      faults.push(`${path} comes from somewhere else than ${PUBLIC_REGISTRY}`);
    }
    if (path !== '' && entry.link !== true && entry.integrity === undefined) faults.push(`${path} has no integrity`);
  }
  for (const kind of KINDS) {
    for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
      if (!EXACT.test(version)) faults.push(`${kind}.${name} is not pinned to one version: ${version}`);
      if (packages['']?.[kind]?.[name] !== version)
        faults.push(`${kind}.${name} differs between package.json and the lock`);
    }
  }
  return faults;
}

/** As Node resolves: in the package's own node_modules, then in those of the folders above it. @param {Record<string, Locked>} packages @param {string} from @param {string} name */
function isReachable(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    if (packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`] !== undefined) return true;
    if (folder === '') return false;
  }
}

/** @returns {string[]} */
export function checkLockfile() {
  /** @param {string} name */
  const read = (name) => JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
  return faultsOfLock(read('package-lock.json'), read('package.json'));
}
