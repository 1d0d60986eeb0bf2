import { randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { PARTIAL_PREFIX } from '../clips/save.ts';

const MIB = 1024 * 1024;
const BYTES = 64 * MIB;
const CHUNK = Buffer.alloc(4 * MIB, 0x5a);

/**
 * MB/s (10^6 bytes) at which a folder takes a file and has it safely on the disk: 64 MiB are written, synced and removed, fewer when that takes longer
 * than `limitMs`. Errors: the system's own, when the folder cannot be written to; `signal`'s reason.
 */
export async function diskSpeed(folder: string, limitMs: number, signal: AbortSignal): Promise<number> {
  await mkdir(folder, { recursive: true });
  // named like an unfinished clip: what a crash leaves is removed at the next start
  const file = path.join(folder, `${PARTIAL_PREFIX}${randomUUID()}.speed.part`);
  const handle = await open(file, 'wx', 0o600);
  try {
    const from = performance.now();
    let written = 0;
    while (written < BYTES && performance.now() - from < limitMs) {
      signal.throwIfAborted();
      await handle.write(CHUNK);
      written += CHUNK.length;
      // chunk by chunk, or a slow disk would hold the end back for as long as the memory took it fast
      await handle.datasync();
    }
    await handle.sync();
    return written / 1e6 / ((performance.now() - from) / 1000);
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}
