import { readFile, stat } from 'node:fs/promises';
import { writeFile } from 'atomically';
import { z } from 'zod';
import { EncoderStatus } from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';

/** Raised when an encoder's arguments change, which makes old results worthless. */
const ARGUMENTS = 1;

const Cache = z.object({
  version: z.literal(1),
  /** which ffmpeg was tried, with which arguments */
  key: z.string(),
  statuses: z.array(EncoderStatus),
});

/** Tells an ffmpeg from another and from itself after an update: path, version, time and size of the file. */
export async function keyOf(ffmpeg: Ffmpeg): Promise<string> {
  const file = await stat(ffmpeg.ffmpeg).catch(() => undefined);
  return [ARGUMENTS, ffmpeg.ffmpeg, ffmpeg.version, file?.mtimeMs, file?.size].join('|');
}

/** The results kept for this ffmpeg; undefined when there are none, or of another. */
export async function readCache(file: string, key: string): Promise<EncoderStatus[] | undefined> {
  try {
    const parsed = Cache.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success && parsed.data.key === key ? parsed.data.statuses : undefined;
  } catch {
    return undefined; // not there or not JSON: they are tried anew
  }
}

/** Errors: the system's own. */
export async function writeCache(file: string, key: string, statuses: readonly EncoderStatus[]): Promise<void> {
  const cache: z.input<typeof Cache> = { version: 1, key, statuses: [...statuses] };
  await writeFile(file, JSON.stringify(cache), { mode: 0o600 });
}
