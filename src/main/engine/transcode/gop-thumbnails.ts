import { StudioError } from '../../../contract/errors.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { startChild } from '../process/child.ts';
import type { ReplayRing } from '../replay/ring.ts';
import type { Snapshot } from '../replay/snapshot.ts';
import { gopThumbnailArgs } from './args.ts';
import { LruBytes } from './lru.ts';
import { yieldToOthers } from '../process/priority.ts';
import { SharedJobs } from './shared-jobs.ts';

const MAX_JOBS = 64;
const DECODE_MS = 10_000;
const MAX_JPEG_BYTES = 256 * 1024;
/** Less than the time from picture to picture at any rate, more than the error of Unix seconds kept as a double. */
const INSTANT = 0.001;

/** Small pictures of the buffer's keyframes, for a timeline: decoded by an ffmpeg when asked for, one at a time, and kept. */
export class GopThumbnails {
  readonly #ring: ReplayRing;
  readonly #cache = new LruBytes({ maxEntries: 256, maxBytes: 8 * 1024 * 1024 });
  readonly #jobs = new SharedJobs<Uint8Array>(MAX_JOBS);

  constructor(ring: ReplayRing) {
    this.#ring = ring;
  }

  /**
   * A JPEG of the newest keyframe held that is not after `at`, Unix seconds. Errors: `not-found` when none is held, `cancelled` by the
   * signal, `not-supported` when it cannot be decoded, `conflict` when too many are asked for.
   */
  async get(at: number, tools: () => Promise<Ffmpeg>, signal: AbortSignal): Promise<Uint8Array> {
    const gop = gopAt(this.#ring, at);
    if (!gop) throw notHeld();
    const key = `${gop.epoch} ${gop.from.toFixed(3)}`;
    const known = this.#cache.get(key);
    if (known) return known;
    return this.#jobs.run(key, signal, async (cancel) => {
      const { ffmpeg } = await tools();
      // taken only now: work that waits its turn holds no memory
      const [snapshot, ...rest] = this.#ring.snapshot({ from: gop.from + INSTANT, to: gop.from + 2 * INSTANT });
      try {
        // another group of pictures has its place when it left meanwhile
        if (snapshot?.epoch !== gop.epoch) throw notHeld();
        const jpeg = await decode(snapshot, ffmpeg, cancel);
        this.#cache.set(key, jpeg);
        return jpeg;
      } finally {
        for (const each of [snapshot, ...rest]) each?.release();
      }
    });
  }

  async close(): Promise<void> {
    await this.#jobs.close();
  }
}

/** The epoch and keyframe time of the group on show at `at`; between epochs and after the last, the one before. */
function gopAt(ring: ReplayRing, at: number): { epoch: number; from: number } | undefined {
  const epoch = ring.status().epochs.findLast(({ from }) => from <= at);
  if (!epoch) return undefined;
  const inside = Math.max(epoch.from, Math.min(at, epoch.to - INSTANT));
  const snapshots = ring.snapshot({ from: inside, to: inside + INSTANT });
  const found = snapshots.find((snapshot) => snapshot.epoch === epoch.id);
  for (const snapshot of snapshots) snapshot.release();
  return found && { epoch: found.epoch, from: found.from };
}

async function decode(snapshot: Snapshot, ffmpeg: string, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const child = startChild({
    name: 'ffmpeg thumbnail',
    command: ffmpeg,
    args: gopThumbnailArgs(),
    onStdout: (part) => {
      bytes += part.length;
      if (bytes > MAX_JPEG_BYTES) child.kill();
      else parts.push(part);
    },
  });
  yieldToOthers(child.pid);
  const end = (): void => child.kill();
  signal.addEventListener('abort', end, { once: true });
  const timer = setTimeout(end, DECODE_MS);
  if (signal.aborted) end();
  // one or two pictures: what the pipe does not take at once waits as views into the ring, held by the snapshot
  for (const chunk of snapshot.chunks()) child.stdin.write(chunk);
  child.stdin.end();
  const exit = await child.exited;
  clearTimeout(timer);
  signal.removeEventListener('abort', end);
  if (signal.aborted) throw new StudioError('cancelled', 'Cancelled.', 'Ask again when you want it.');
  if (exit.code === 0 && parts.length > 0) return Buffer.concat(parts);
  throw new StudioError('not-supported', 'This part of the replay could not be shown.', 'It can still be saved.', {
    cause: new Error(`ffmpeg ended with ${exit.signal ?? String(exit.code)}: ${exit.stderr.join(' / ')}`),
  });
}

const notHeld = (): StudioError =>
  new StudioError('not-found', 'The replay holds no picture of that time.', 'See GET /api/status for what it holds.');
