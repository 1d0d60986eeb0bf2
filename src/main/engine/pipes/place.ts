import { chmod, lstat, mkdir, rmdir } from 'node:fs/promises';
import { statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { StudioError } from '../../../contract/errors.ts';
import { lockFolder } from '../settings/data-folder.ts';

/**
 * Where the pipes to and from other programs are (DESIGN section 3): the namespace of named pipes on Windows, elsewhere a folder.
 * `shared` folders are the user's one runtime folder, which studios with different data folders meet in: they need a lock of
 * their own.
 */
export type Place = { kind: 'named-pipes' } | { kind: 'folder'; folder: string; shared: boolean };

/** A runtime folder only counts when it is there and ours: `sudo` hands on the variable of another user. */
function isOurFolder(folder: string): boolean {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found !== undefined && found.isDirectory() && found.uid === process.getuid?.();
}

/** `$XDG_RUNTIME_DIR/pitwall` where that variable names an absolute folder of ours (XDG Base Directory), else the data folder. */
export function choosePlace(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
  dataFolder: string,
  isOurs: (folder: string) => boolean = isOurFolder,
): Place {
  if (platform === 'win32') return { kind: 'named-pipes' };
  const runtime = env['XDG_RUNTIME_DIR'];
  if (runtime !== undefined && path.isAbsolute(runtime) && isOurs(runtime))
    return { kind: 'folder', folder: path.join(runtime, 'pitwall'), shared: true };
  return { kind: 'folder', folder: dataFolder, shared: false };
}

export type PipeAddresses = { socket: string; fifo?: string };

/** What other programs open. On Windows one named pipe, elsewhere a FIFO and a unix socket beside it. */
export function addressesOf(place: Place, name: string): PipeAddresses {
  if (place.kind === 'named-pipes') return { socket: `\\\\.\\pipe\\${name}` };
  const fifo = path.join(place.folder, name);
  return { fifo, socket: `${fifo}.sock` };
}

/** The place of this studio's pipes, locked while it is open: two studios must not read one pipe (each would get half of it). */
export class PipePlace {
  readonly place: Place;
  #release: (() => void) | undefined;
  #opening: Promise<void> | undefined;

  constructor(place: Place) {
    this.place = place;
  }

  /**
   * Makes the place ours; again after a failure, nothing when it is already. Errors: `conflict` naming the process that holds it,
   * `folder-not-writable`.
   */
  async open(): Promise<void> {
    this.#opening ??= this.#lock();
    try {
      await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  /** Gives it back; a shared folder that is empty then goes too, so that a program told to write there fails instead of filling it. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    if (!this.#release || this.place.kind !== 'folder') return;
    this.#release();
    this.#release = undefined;
    await rmdir(this.place.folder).catch(() => undefined); // somebody else's files are in it
  }

  async #lock(): Promise<void> {
    const { place } = this;
    // the data folder is locked from the start of the studio, the name of a Windows pipe by the system
    if (place.kind !== 'folder' || !place.shared) return;
    let lock: Awaited<ReturnType<typeof lockFolder>>;
    try {
      await makePrivate(place.folder);
      lock = await lockFolder(place.folder);
    } catch (cause) {
      throw new StudioError(
        'folder-not-writable',
        `The folder for pipes, ${place.folder}, cannot be used.`,
        'Make it a folder of your own with mode 0700, or remove it.',
        { cause },
      );
    }
    if ('heldBy' in lock) {
      throw new StudioError(
        'conflict',
        `Another Pitwall (process ${lock.heldBy}) holds the pipes in ${place.folder}.`,
        'Use that one, or end it first.',
      );
    }
    this.#release = lock.release;
  }
}

async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error(`${folder} is not a folder of ours`);
  if ((found.mode & 0o077) !== 0) await chmod(folder, 0o700);
}
