/** The platform's own package manager: which one, and the commands that install with it. */
import { readdirSync } from 'node:fs';
import { which } from './find.mjs';
import { hasTerminal } from './run.mjs';

/** @typedef {import('./programs.mjs').ManagerName} ManagerName */

/**
 * @typedef {object} Manager
 * @property {ManagerName} name
 * @property {(packages: readonly string[]) => string[]} install
 * @property {string} byHand how a person begins the same command
 * @property {boolean} allowed false when this user is not root and there is no sudo
 * @property {string[]} [refresh] brings the package lists up to date, where that is a step of its own
 */

const SBIN = ['/usr/sbin', '/sbin', '/opt/homebrew/bin', '/usr/local/bin'];

/**
 * The one of this machine, or undefined. Its commands run as root: directly, by `sudo -n` (which fails rather than asks)
 * without a terminal, by `sudo` with one.
 * @returns {Manager | undefined}
 */
export function findManager() {
  if (process.platform === 'win32') return which('winget') === undefined ? undefined : winget;
  if (process.platform === 'darwin') {
    const brew = which('brew', SBIN);
    return brew === undefined
      ? undefined
      : { name: 'brew', install: (packages) => [brew, 'install', ...packages], byHand: 'brew install', allowed: true };
  }
  const known = linuxManagers();
  return known.find((manager) => which(PROGRAM_OF[manager.name] ?? manager.name, SBIN) !== undefined);
}

/** @type {Partial<Record<ManagerName, string>>} */
const PROGRAM_OF = { apt: 'apt-get', dnf: 'dnf', pacman: 'pacman', zypper: 'zypper' };

/** @type {Manager} */
const winget = {
  name: 'winget',
  byHand: 'winget install',
  allowed: true,
  install: (packages) => [
    'winget',
    'install',
    '--exact',
    '--accept-source-agreements',
    '--accept-package-agreements',
    '--disable-interactivity',
    ...packages,
  ],
};

/** @returns {Manager[]} */
function linuxManagers() {
  const isRoot = process.getuid?.() === 0;
  const allowed = isRoot || which('sudo') !== undefined;
  const root = isRoot ? [] : hasTerminal() ? ['sudo'] : ['sudo', '-n'];
  const typed = isRoot ? '' : 'sudo ';
  // Another apt may hold the lock for a while (unattended upgrades).
  const apt = [...root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=300'];
  return [
    {
      name: 'apt',
      install: (packages) => [...apt, 'install', '-y', '--no-install-recommends', ...packages],
      refresh: [...apt, 'update'],
      byHand: `${typed}apt-get install`,
      allowed,
    },
    {
      name: 'dnf',
      install: (packages) => [...root, 'dnf', 'install', '-y', ...packages],
      byHand: `${typed}dnf install`,
      allowed,
    },
    {
      name: 'pacman',
      install: (packages) => [...root, 'pacman', '-S', '--needed', '--noconfirm', ...packages],
      byHand: `${typed}pacman -S`,
      allowed,
    },
    {
      name: 'zypper',
      install: (packages) => [...root, 'zypper', '--non-interactive', 'install', ...packages],
      byHand: `${typed}zypper install`,
      allowed,
    },
  ];
}

/** Whether apt holds package lists at all: images are shipped without them. */
export function aptListsAreEmpty() {
  try {
    return !readdirSync('/var/lib/apt/lists').some((file) => file.includes('_Packages'));
  } catch {
    return false;
  }
}
