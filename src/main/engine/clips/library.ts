import { createHash } from 'node:crypto';
import { readFile, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { writeFile } from 'atomically';
import { z } from 'zod';
import { Clip, ClipFormat, StudioError } from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { Log } from '../logging/log.ts';
import { probeClip } from './probe.ts';

/** Stable for a path, safe in a URL. */
export const clipId = (file: string): string => createHash('sha256').update(file).digest('base64url').slice(0, 20);

const Index = z.object({ version: z.literal(1), clips: z.array(Clip) });
const MAX_FOUND = 500;

const isClipName = (file: string): boolean =>
  !path.basename(file).startsWith('.') && ClipFormat.safeParse(path.extname(file).slice(1)).success;

export type LibraryOptions = {
  /** the index file; only a cache of what the files say */
  index: string;
  /** where clips are saved, the second folder included */
  folders: () => readonly string[];
  log: Log;
  moveToTrash: (file: string) => Promise<void>;
  onChange: () => void;
};

/** The saved clips, newest first. The files are the truth: one that vanished leaves the list, one that appeared joins it. */
export class ClipLibrary {
  readonly #options: LibraryOptions;
  #clips: Clip[] = [];

  constructor(options: LibraryOptions) {
    this.#options = options;
  }

  get clips(): readonly Clip[] {
    return this.#clips;
  }

  /** Reads the index and drops what is gone. Never rejects: an unreadable index is rebuilt from the files. */
  async load(): Promise<void> {
    const { index, log } = this.#options;
    try {
      const parsed = Index.parse(JSON.parse(await readFile(index, 'utf8')));
      this.#clips = parsed.clips;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
        log.warn({ err: error }, 'the list of clips is read anew from the files');
    }
    await this.refresh();
  }

  /** Drops clips whose file is gone. */
  async refresh(): Promise<void> {
    const kept = await Promise.all(
      this.#clips.map(async (clip) => {
        const found = await stat(clip.path).catch(() => undefined);
        return found?.isFile() === true ? clip : undefined;
      }),
    );
    const clips = kept.filter((clip) => clip !== undefined);
    if (clips.length !== this.#clips.length) {
      this.#clips = clips;
      await this.#write();
      this.#options.onChange();
    }
  }

  /**
   * Adds clips that lie in the folder and are not in the index; one at a time, so that start-up costs the game nothing.
   * Errors: the signal's reason.
   */
  async discover(tools: Ffmpeg, signal: AbortSignal): Promise<void> {
    const known = new Set(this.#clips.map((clip) => clip.path));
    for (const folder of new Set(this.#options.folders())) {
      const names = await readdir(folder).catch(() => []);
      const unknown = names
        .map((name) => path.join(folder, name))
        .filter((file) => isClipName(file) && !known.has(file));
      for (const file of unknown.slice(0, MAX_FOUND)) {
        signal.throwIfAborted();
        await this.#take(file, tools, signal);
      }
    }
  }

  async #take(file: string, tools: Ffmpeg, signal: AbortSignal): Promise<void> {
    try {
      const [facts, info] = [await probeClip(tools, file, signal), await stat(file)];
      const { codec, seconds, bytes, width, height } = facts;
      const name = path.basename(file, path.extname(file));
      const createdAt = info.mtimeMs / 1000;
      await this.add([{ id: clipId(file), path: file, name, seconds, bytes, codec, width, height, createdAt }]);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.log.info({ err: error, file }, 'a file in the clips folder is not a clip');
    }
  }

  async add(clips: readonly Clip[]): Promise<void> {
    const ids = new Set(clips.map((clip) => clip.id));
    this.#clips = [...clips, ...this.#clips.filter((clip) => !ids.has(clip.id))].sort(
      (a, b) => b.createdAt - a.createdAt,
    );
    await this.#write();
    this.#options.onChange();
  }

  /** Errors: `clip-not-found`, also when its file was removed meanwhile. */
  async get(id: string): Promise<Clip> {
    const clip = this.#clips.find((candidate) => candidate.id === id);
    if (clip && (await stat(clip.path).catch(() => undefined))) return clip;
    if (clip) await this.refresh();
    throw new StudioError(
      'clip-not-found',
      'That clip is no longer there.',
      'It may have been moved or deleted outside Pitwall.',
    );
  }

  /** Moves the file to the system's trash. Errors: `clip-not-found`, `save-failed` when the trash refuses (the clip stays). */
  async delete(id: string): Promise<void> {
    const clip = await this.get(id);
    try {
      await this.#options.moveToTrash(clip.path);
    } catch (cause) {
      throw new StudioError(
        'save-failed',
        `"${clip.name}" could not be moved to the trash.`,
        'Close programs that play it, then try again; the clip is kept.',
        { cause },
      );
    }
    this.#clips = this.#clips.filter((candidate) => candidate.id !== id);
    await this.#write();
    this.#options.onChange();
  }

  async #write(): Promise<void> {
    const { index, log } = this.#options;
    try {
      await writeFile(index, JSON.stringify({ version: 1, clips: this.#clips } satisfies z.infer<typeof Index>), {
        mode: 0o600,
      });
    } catch (error) {
      // only a cache: the next start reads the files
      log.warn({ err: error }, 'the list of clips could not be written');
    }
  }
}

/** Removes what a save that was cut off left behind: our own temporary names only, older than an hour. */
export async function removeStalePartials(folder: string, prefix: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(prefix) || !name.endsWith('.part')) continue;
    const file = path.join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found && nowMs - found.mtimeMs > 3_600_000) await rm(file, { force: true });
  }
}
