import { statfs as nodeStatfs } from 'node:fs/promises';
import path from 'node:path';
import type { Problem } from '../../../contract/index.ts';
import { THRESHOLDS } from './catalog.ts';

/** Free bytes for this user on the file system of a folder. Errors: what the system says, `ENOENT` for a folder not made yet. */
export type FreeBytes = (folder: string) => Promise<number>;

export type DiskWatchDeps = {
  /** what is written to, by its name for people: the first to be found on a full disk is told */
  folders: () => readonly { name: string; folder: string }[];
  onChange: () => void;
  freeBytes?: FreeBytes;
};

export const freeBytesOf: FreeBytes = async (folder) => {
  const { bavail, bsize } = await nodeStatfs(folder);
  return bavail * bsize;
};

/**
 * How much room there is where clips and data are written. Looked at asynchronously, one look at a time: a network drive that hangs
 * holds one thread of the pool and nothing else, and its last answer stays.
 */
export class DiskWatch {
  readonly #deps: DiskWatchDeps;
  #looking = false;
  #free: readonly { name: string; free: number }[] = [];

  constructor(deps: DiskWatchDeps) {
    this.#deps = deps;
  }

  /** Looks again, unless the last look has not ended. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { folders, onChange, freeBytes = freeBytesOf } = this.#deps;
    try {
      const free: { name: string; free: number }[] = [];
      for (const { name, folder } of folders()) {
        const bytes = await freeAt(folder, freeBytes);
        if (bytes !== undefined) free.push({ name, free: bytes });
      }
      this.#free = free;
      onChange();
    } finally {
      this.#looking = false;
    }
  }

  /** `clipSeconds` is the longest Save button's length, `bitrateKbps` the present rate, null while nothing runs. */
  problem(clipSeconds: number, bitrateKbps: number | null): Problem | null {
    const clipBytes = (clipSeconds * (bitrateKbps ?? 0) * 1000) / 8;
    const wanted = Math.max(THRESHOLDS.diskBytes, THRESHOLDS.diskClips * clipBytes);
    const short = this.#free.find(({ free }) => free < wanted);
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

/** Of the folder, or of the nearest one above it that is there: it is made with the first clip. */
async function freeAt(folder: string, freeBytes: FreeBytes): Promise<number | undefined> {
  for (let at = folder; ; at = path.dirname(at)) {
    try {
      return await freeBytes(at);
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!missing || path.dirname(at) === at) return undefined;
    }
  }
}
