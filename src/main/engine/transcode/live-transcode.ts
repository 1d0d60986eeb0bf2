import { StudioError } from '../../../contract/errors.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import { Backoff, pause } from '../process/backoff.ts';
import { startChild, type Child } from '../process/child.ts';
import type { AccessUnit } from '../replay/accessUnit.ts';
import type { RingCursor } from '../replay/cursor.ts';
import { ReplayRing } from '../replay/ring.ts';
import { liveTranscodeArgs } from './args.ts';
import { noEncoder } from './clip-previews.ts';
import { yieldToOthers } from '../process/priority.ts';

export type LiveTranscodeOptions = {
  ring: ReplayRing;
  tools: FfmpegTools;
  log: Log;
  /** a picture in H.264 */
  onPicture: (picture: AccessUnit) => void;
  /** why there are none now; undefined once there are */
  onTrouble: (why: StudioError | undefined) => void;
};

/** ffmpeg may take this long for a picture before it counts as hung. */
const SILENT_MS = 10_000;
const OUTPUT = { maxBytes: 4 * 1024 * 1024, maxSeconds: 4 };
/** Behind by more than this it goes on at the newest keyframe: a preview is of now. */
const MAX_BEHIND_SECONDS = 3;
const MIN_BEHIND_BYTES = 2 * 1024 * 1024;

/**
 * What the ring takes in, as small H.264 pictures, from the newest keyframe on and until `close`. One ffmpeg, below everything else in
 * priority, started again after a failure.
 */
export class LiveTranscode {
  readonly #options: LiveTranscodeOptions;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  #child: Child | undefined;

  constructor(options: LiveTranscodeOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** Ends it at once; no picture is told after that. Resolves when its process is gone. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#child?.kill();
    await this.#done;
  }

  #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    const { log, onTrouble } = this.#options;
    const { signal } = this.#closing;
    const backoff = new Backoff({ delaysMs: [250, 1000, 5000], healthyMs: SILENT_MS, forever: true });
    while (!this.#closed()) {
      const from = performance.now();
      const failure = await this.#once().catch((thrown: unknown) => thrown);
      if (this.#closed()) return;
      const delay = backoff.next(performance.now() - from);
      if (failure !== undefined) {
        const why = failure instanceof StudioError ? failure : noPreview(failure);
        // the same again, every few seconds, is no news
        if (backoff.attempt <= 2) log.warn({ err: why }, why.message);
        // one that died once is back before anybody has read a sentence about it
        if (backoff.attempt > 1 || why.code !== 'not-supported') onTrouble(why);
      }
      await pause(delay === 'give-up' ? SILENT_MS : delay, signal);
    }
  }

  /** One ffmpeg, to its end. Resolves when the stream itself ended. Errors: `ffmpeg-missing`, `ffmpeg-unsuitable`, `not-supported`. */
  async #once(): Promise<void> {
    const { ring, tools, onPicture, onTrouble } = this.#options;
    const { ffmpeg, encoders } = await tools.get();
    if (!encoders.has('libx264')) throw noEncoder();
    if (this.#closed()) return;
    const out = new ReplayRing(OUTPUT);
    const child = startChild({
      name: 'ffmpeg preview',
      command: ffmpeg,
      args: liveTranscodeArgs(),
      onStdout: (chunk) => out.write(chunk),
    });
    yieldToOthers(child.pid);
    this.#child = child;
    const silent = setTimeout(() => child.kill(), SILENT_MS);
    out.onAccessUnit((picture) => {
      if (this.#closed()) return;
      silent.refresh();
      onTrouble(undefined);
      onPicture(picture);
    });
    const cursor = ring.openCursor({ start: 'newest', whenLate: 'newest', maxBehindBytes: behindBytes(ring) });
    void child.exited.then(() => cursor.close());
    try {
      const streamEnded = await feed(cursor, child);
      child.stdin.end();
      const exit = await child.exited;
      if (this.#closed() || (streamEnded && exit.code === 0)) return;
      throw noPreview(new Error(`ffmpeg ended with ${exit.signal ?? String(exit.code)}: ${exit.stderr.join(' / ')}`));
    } finally {
      clearTimeout(silent);
      cursor.close();
      child.kill();
      this.#child = undefined;
    }
  }
}

/** Feeds the child at its own pace; true when the stream ended, false when the child did. */
async function feed(cursor: RingCursor, child: Child): Promise<boolean> {
  for (;;) {
    const run = await cursor.next();
    if (!run) return child.stdin.writable;
    // the bytes are the ring's: they may be reused once the system has taken them, which the callback says
    const taken = await new Promise<boolean>((resolve) => child.stdin.write(run, (error) => resolve(!error)));
    if (!taken) return false;
  }
}

function behindBytes(ring: ReplayRing): number {
  const { bytesHeld, secondsHeld } = ring.status();
  return Math.max(MIN_BEHIND_BYTES, secondsHeld > 0 ? (bytesHeld / secondsHeld) * MAX_BEHIND_SECONDS : 0);
}

const noPreview = (cause: unknown): StudioError =>
  new StudioError(
    'not-supported',
    'The preview of this HEVC stream could not be made.',
    'It tries again by itself. Replay and saved clips are not affected.',
    { cause },
  );
