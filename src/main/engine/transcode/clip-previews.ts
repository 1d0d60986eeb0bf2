import { stat } from 'node:fs/promises';
import { StudioError, type Clip } from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { startChild } from '../process/child.ts';
import { clipPreviewArgs } from './args.ts';
import { FileCache } from './file-cache.ts';
import { yieldToOthers } from '../process/priority.ts';
import { SharedJobs } from './shared-jobs.ts';

/** One under way and some waiting; more is a client that has lost its mind. */
const MAX_JOBS = 8;
const MAX_BYTES = 1024 ** 3;
const MAX_FILES = 20;

/** How long making one may take: far more than it does, so that only what hangs is ended. */
const deadlineMs = (clipSeconds: number): number => Math.min(30 * 60_000, 60_000 + clipSeconds * 4000);

/** Clips as small H.264 MP4, for browsers that cannot play the original: made when asked for, one at a time, and kept for the next time. */
export class ClipPreviews {
  readonly #cache: FileCache;
  readonly #jobs = new SharedJobs<string>(MAX_JOBS);

  /** `folder`: of ours alone; made when needed. */
  constructor(folder: string) {
    this.#cache = new FileCache({ folder, maxBytes: MAX_BYTES, maxFiles: MAX_FILES, extension: '.mp4' });
  }

  /**
   * Path of the preview. Errors: `cancelled` by the signal, `ffmpeg-unsuitable` without libx264, `not-supported` when ffmpeg cannot
   * make one, `conflict` when too many are asked for.
   */
  async get(clip: Clip, tools: Ffmpeg, signal: AbortSignal): Promise<string> {
    const { size, mtimeMs } = await stat(clip.path);
    // a file replaced by another of the same name is another clip
    const key = `${clip.id}-${size.toString(36)}-${Math.round(mtimeMs).toString(36)}`;
    return (
      (await this.#cache.find(key)) ??
      this.#jobs.run(key, signal, async (cancel) =>
        this.#cache.add(key, async (partial) => encode(clip, partial, tools, cancel)),
      )
    );
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await this.#jobs.close();
  }
}

async function encode(clip: Clip, output: string, tools: Ffmpeg, signal: AbortSignal): Promise<void> {
  if (!tools.encoders.has('libx264')) throw noEncoder();
  const ms = deadlineMs(clip.seconds);
  const child = startChild({
    name: 'ffmpeg clip preview',
    command: tools.ffmpeg,
    args: clipPreviewArgs(clip.path, output, (2 * ms) / 1000),
  });
  yieldToOthers(child.pid);
  const end = (): void => child.kill();
  signal.addEventListener('abort', end, { once: true });
  const timer = setTimeout(end, ms);
  if (signal.aborted) end();
  const exit = await child.exited;
  clearTimeout(timer);
  signal.removeEventListener('abort', end);
  if (signal.aborted) throw new StudioError('cancelled', 'Cancelled.', 'Ask again when you want it.');
  if (exit.code === 0) return;
  throw new StudioError(
    'not-supported',
    'No small copy of this clip could be made.',
    'The clip itself is untouched: show it in its folder and open it in another player, such as mpv or VLC.',
    {
      cause: new Error(`ffmpeg ended with ${exit.signal ?? String(exit.code)}: ${exit.stderr.join(' / ')}`, {
        cause: exit.spawnError,
      }),
    },
  );
}

export const noEncoder = (): StudioError =>
  new StudioError(
    'ffmpeg-unsuitable',
    'HEVC cannot be shown here: this ffmpeg has no libx264.',
    'Install an ffmpeg with libx264, or set FFMPEG_PATH to one. Replay and saved clips are not affected.',
  );
