import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { z } from 'zod';
import { StudioError } from '../../../contract/index.ts';

/** Where Pitwall keeps its settings, log and thumbnails, by each system's custom. */
export function defaultDataFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'win32')
    return path.join(env['LOCALAPPDATA'] ?? path.join(os.homedir(), 'AppData', 'Local'), 'Pitwall');
  if (platform === 'darwin') return path.join(os.homedir(), 'Library', 'Application Support', 'Pitwall');
  return path.join(env['XDG_DATA_HOME'] ?? path.join(os.homedir(), '.local', 'share'), 'pitwall');
}

/** `<Videos>/Pitwall`; on Linux the user's own name for Videos (`user-dirs.dirs`, xdg-user-dirs). */
export async function defaultClipsFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): Promise<string> {
  const home = os.homedir();
  if (platform === 'darwin') return path.join(home, 'Movies', 'Pitwall');
  if (platform === 'linux') {
    const config = path.join(env['XDG_CONFIG_HOME'] ?? path.join(home, '.config'), 'user-dirs.dirs');
    const text = await readFile(config, 'utf8').catch(() => '');
    const folder = /^XDG_VIDEOS_DIR="(.+)"$/m.exec(text)?.[1]?.replace(/^\$HOME/, home);
    if (folder !== undefined && path.isAbsolute(folder) && path.resolve(folder) !== home)
      return path.join(folder, 'Pitwall');
  }
  return path.join(home, 'Videos', 'Pitwall');
}

const Owner = z.object({ pid: z.int().positive(), started: z.string() });

/** When a process started, in the kernel's own ticks: tells a reused pid from the one that wrote the lock. */
function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return 'alive'; // no /proc on this system
  }
}

/**
 * Creates a folder and makes it ours alone; answers the function that gives it back, or the process that holds it. A lock whose
 * process is gone does not count. Errors: the system's own.
 */
export async function lockFolder(folder: string): Promise<{ release: () => void } | { heldBy: number }> {
  const file = path.join(folder, 'lock');
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) ?? 'alive' });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const handle = await open(file, 'wx', 0o600);
      await handle.writeFile(mine);
      await handle.close();
      return {
        release: () => {
          // only if it is still ours
          try {
            if (readFileSync(file, 'utf8') === mine) rmSync(file);
          } catch {
            // already gone
          }
        },
      };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = parseOwner(await readFile(file, 'utf8').catch(() => ''));
    if (owner && startOf(owner.pid) === owner.started) return { heldBy: owner.pid };
    await rm(file, { force: true });
  }
  throw new Error(`${file} comes back whenever it is removed`);
}

/**
 * Creates the data folder and makes it ours alone; returns the function that gives it back.
 * Errors: `folder-not-writable`; `data-folder-locked` naming the process that holds it.
 */
export async function lockDataFolder(folder: string): Promise<() => void> {
  let lock: Awaited<ReturnType<typeof lockFolder>>;
  try {
    lock = await lockFolder(folder);
  } catch (cause) {
    throw new StudioError(
      'folder-not-writable',
      `The data folder ${folder} cannot be written to.`,
      'Choose another one with --data, or change its permissions.',
      { cause },
    );
  }
  if ('release' in lock) return lock.release;
  throw new StudioError(
    'data-folder-locked',
    `Pitwall already runs with this data folder (process ${lock.heldBy}).`,
    'Use that one, end it first, or give this one its own folder with --data.',
  );
}

function parseOwner(text: string): z.infer<typeof Owner> | undefined {
  try {
    return Owner.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
