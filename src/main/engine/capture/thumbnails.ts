import { StudioError } from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { runToEnd } from '../process/child.ts';

const FRESH_MS = 10_000;
const MAX_ENTRIES = 64;
const GRAB_MS = 4000;

/** One small JPEG from any ffmpeg input; arguments only, no shell. */
export const thumbnailArgs = (input: readonly string[], output = 'pipe:1'): string[] => [
  ...['-hide_banner', '-loglevel', 'error'],
  ...input,
  ...[
    '-frames:v',
    '1',
    '-vf',
    'scale=320:180:force_original_aspect_ratio=decrease',
    '-q:v',
    '5',
    '-f',
    'mjpeg',
    '-y',
    output,
  ],
];

/**
 * Pictures of sources for the picker: made one at a time and only when asked, kept for ten seconds, so that an open picker
 * costs the game next to nothing.
 */
export class Thumbnails {
  readonly #cache = new Map<string, { at: number; jpeg: Uint8Array }>();
  #queue: Promise<unknown> = Promise.resolve();

  /** Errors: `not-found` when no picture can be had. */
  async get(id: string, input: readonly string[] | undefined, tools: Ffmpeg, signal: AbortSignal): Promise<Uint8Array> {
    const cached = this.#cache.get(id);
    if (cached && performance.now() - cached.at < FRESH_MS) return cached.jpeg;
    if (!input) throw noPicture();
    const grabbed = this.#queue.then(async () => {
      if (signal.aborted) throw noPicture();
      const { code, stdout } = await runToEnd(tools.ffmpeg, thumbnailArgs(input), {
        timeoutMs: GRAB_MS,
        maxOutputBytes: 512 * 1024,
        signal,
      });
      if (code !== 0 || stdout.length === 0) throw noPicture();
      return stdout;
    });
    this.#queue = grabbed.catch(() => undefined);
    const jpeg = await grabbed;
    this.#cache.set(id, { at: performance.now(), jpeg });
    const oldest = this.#cache.keys().next().value;
    if (this.#cache.size > MAX_ENTRIES && oldest !== undefined) this.#cache.delete(oldest);
    return jpeg;
  }
}

const noPicture = (): StudioError =>
  new StudioError('not-found', 'There is no picture of it now.', 'It appears once the window is visible.');
