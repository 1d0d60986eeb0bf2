import { access, constants, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Problem } from '../../../contract/index.ts';
import { THRESHOLDS } from './catalog.ts';

/** Room for this user on the file system of a folder, and whether it may be written to. */
export type Room = { free: number; writable: boolean };
/** Errors: what the system says, `ENOENT` for a folder not made yet. */
export type LookAt = (folder: string) => Promise<Room>;

export type DiskWatchDeps = {
  /** what is written to, by its name for people: the first to be found on a full disk is told */
  folders: () => readonly { name: string; folder: string }[];
  onChange: () => void;
  lookAt?: LookAt;
};

export const roomAt: LookAt = async (folder) => {
  const { bavail, bsize } = await statfs(folder);
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  return { free: bavail * bsize, writable };
};

/**
 * How much room there is where clips and data are written. Looked at asynchronously, one look at a time: a network drive that hangs
 * holds one thread of the pool and nothing else, and its last answer stays.
 */
export class DiskWatch {
  readonly #deps: DiskWatchDeps;
  #looking = false;
  #rooms: readonly (Room & { name: string })[] = [];

  constructor(deps: DiskWatchDeps) {
    this.#deps = deps;
  }

  /** Looks again, unless the last look has not ended. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { folders, onChange, lookAt = roomAt } = this.#deps;
    try {
      const rooms: (Room & { name: string })[] = [];
      for (const { name, folder } of folders()) rooms.push({ name, ...(await nearestRoom(folder, lookAt)) });
      this.#rooms = rooms;
      onChange();
    } finally {
      this.#looking = false;
    }
  }

  /** A folder that cannot be written to, found before a save meets it. */
  get unwritable(): Problem | null {
    const closed = this.#rooms.find(({ writable }) => !writable);
    if (!closed) return null;
    return {
      code: 'clips-folder',
      severity: 'warning',
      message: `${closed.name.charAt(0).toUpperCase()}${closed.name.slice(1)} cannot be written to.`,
      remedy:
        'Check that its drive is there and that you may write to it; until then clips go to the second folder, if there is one.',
    };
  }

  /** `clipSeconds` is the longest Save button's length, `bitrateKbps` the present rate, null while nothing runs. */
  problem(clipSeconds: number, bitrateKbps: number | null): Problem | null {
    const clipBytes = (clipSeconds * (bitrateKbps ?? 0) * 1000) / 8;
    const wanted = Math.max(THRESHOLDS.diskBytes, THRESHOLDS.diskClips * clipBytes);
    const short = this.#rooms.find(({ free, writable }) => writable && free < wanted);
    if (!short) return null;
    const fits = clipBytes > 0 ? Math.floor(short.free / clipBytes) : null;
    const none = fits === 0 || short.free < 50e6;
    const room =
      short.free < 1e9 ? `${Math.floor(short.free / 1e6)} MB` : `${(Math.floor(short.free / 1e8) / 10).toFixed(1)} GB`;
    const clips =
      fits !== null && fits < 100
        ? `, room for ${fits === 0 ? 'no clip' : fits === 1 ? 'one clip' : `${fits} clips`}`
        : '';
    return {
      code: 'disk-low',
      severity: none ? 'error' : 'warning',
      message: `Only ${room} are free on the disk of ${short.name}${clips}.`,
      remedy: 'Delete clips or other files, or choose another folder.',
    };
  }
}

/** Of the folder, or of the nearest one above it that is there: it is made with the first clip. What cannot be told counts as well. */
async function nearestRoom(folder: string, lookAt: LookAt): Promise<Room> {
  for (let at = folder; ; at = path.dirname(at)) {
    try {
      return await lookAt(at);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOENT' && path.dirname(at) !== at) continue;
      return { free: Number.POSITIVE_INFINITY, writable: code !== 'ENOTDIR' && code !== 'EACCES' };
    }
  }
}
