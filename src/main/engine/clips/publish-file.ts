import { link, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { numbered } from './names.ts';

const MAX_TRIES = 1000;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Makes a file's bytes durable. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder's entries durable; not every file system can, and a clip is no worse for it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/**
 * Gives a finished temporary file its name in the same folder without ever replacing a file: `link` answers EEXIST where
 * `rename` would replace silently (measured). Where hard links do not exist (exFAT), the name is first reserved
 * exclusively. Returns the path it got.
 */
export async function publishFile(temporary: string, base: string, extension: string): Promise<string> {
  const folder = path.dirname(temporary);
  for (let count = 1; count <= MAX_TRIES; count++) {
    const target = path.join(folder, numbered(base, count, extension));
    try {
      await link(temporary, target);
      await rm(temporary, { force: true });
      await syncFolder(folder);
      return target;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EEXIST') continue;
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EISDIR'].includes(code)) throw error;
    }
    try {
      const reserved = await open(target, 'wx');
      await reserved.close();
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue;
      throw error;
    }
    await rename(temporary, target);
    await syncFolder(folder);
    return target;
  }
  throw new Error(`no free name for ${base} after ${MAX_TRIES} tries`);
}
