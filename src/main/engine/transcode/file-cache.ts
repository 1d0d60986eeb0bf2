import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';

export type FileCacheOptions = {
  folder: string;
  /** of the files kept, together */
  maxBytes: number;
  maxFiles: number;
  /** with its dot */
  extension: string;
};

const PARTIAL = /^\.pitwall-[A-Za-z0-9_-]{1,120}\.part$/;

/**
 * Files made once and kept, the least recently used removed first (by time of change, which a use renews). Only files of the names
 * this cache gives are ever removed. One process at a time: the data folder's lock sees to that.
 */
export class FileCache {
  readonly #options: FileCacheOptions;
  #swept = false;

  constructor(options: FileCacheOptions) {
    this.#options = options;
  }

  /** The file of `key` (letters, digits, `_` and `-`, at most 120), now the most recently used one; undefined when there is none. */
  async find(key: string): Promise<string | undefined> {
    const file = this.#fileOf(key);
    const now = new Date();
    return utimes(file, now, now).then(
      () => file,
      () => undefined,
    );
  }

  /**
   * Has `make` write a temporary file and gives it its name, so that a half-made one is never found. Errors: what `make` throws, and of
   * the file system.
   */
  async add(key: string, make: (partial: string) => Promise<void>): Promise<string> {
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!this.#swept) await this.#sweep();
    const partial = path.join(folder, `.pitwall-${key}.part`);
    const file = this.#fileOf(key);
    try {
      await make(partial);
      await rename(partial, file);
    } finally {
      await rm(partial, { force: true });
    }
    await this.#trim(file);
    return file;
  }

  #fileOf(key: string): string {
    return path.join(this.#options.folder, key + this.#options.extension);
  }

  /** What a studio that was killed left half-made. */
  async #sweep(): Promise<void> {
    this.#swept = true;
    const { folder } = this.#options;
    for (const name of await readdir(folder)) {
      if (PARTIAL.test(name)) await rm(path.join(folder, name), { force: true });
    }
  }

  /** Removes the least recently used until the bounds hold; `newest` stays whatever its size. */
  async #trim(newest: string): Promise<void> {
    const { folder, maxBytes, maxFiles, extension } = this.#options;
    const names = (await readdir(folder)).filter(
      (name) => name.endsWith(extension) && /^[A-Za-z0-9_-]{1,120}$/.test(name.slice(0, -extension.length)),
    );
    const found = await Promise.all(
      names.map(async (name) => {
        const file = path.join(folder, name);
        const facts = await stat(file).catch(() => undefined);
        return facts?.isFile() === true ? [{ file, bytes: facts.size, at: facts.mtimeMs }] : [];
      }),
    );
    const files = found.flat().sort((a, b) => Number(b.file === newest) - Number(a.file === newest) || b.at - a.at);
    let bytes = 0;
    for (const [index, entry] of files.entries()) {
      bytes += entry.bytes;
      if (index === 0 || (index < maxFiles && bytes <= maxBytes)) continue;
      // a system that refuses to remove what is being read gets it at the next turn
      await rm(entry.file, { force: true }).catch(() => undefined);
    }
  }
}
