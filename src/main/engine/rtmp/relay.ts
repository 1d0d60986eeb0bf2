import type { Problem, VideoCodec } from '../../../contract/index.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import { Backoff, pause } from '../process/backoff.ts';
import { startChild, within, type Child } from '../process/child.ts';
import type { ReplayRing } from '../replay/ring.ts';
import { relayArgs, soundOf } from './relay-args.ts';

export type RelayOptions = {
  ring: Pick<ReplayRing, 'openCursor'>;
  tools: Pick<FfmpegTools, 'get'>;
  /** where to publish; null while the RTMP server is down */
  url: () => string | null;
  /** where HEVC can be had live */
  liveUrl: () => string;
  log: Log;
  onChange: () => void;
};

/** A relay this far behind is no longer live: it goes on at the newest keyframe. */
const BEHIND_BYTES = 16_000_000;
/** An ffmpeg that takes nothing for this long hangs. */
const FROZEN_MS = 10_000;
const SERVER_POLL_MS = 500;
const STOP = { termMs: 800 } as const;
/** From here on failing again and again is worth telling. */
const TELL_AFTER = 3;

/**
 * Puts what another program sends on the live address: one `ffmpeg -c copy`, fed by a cursor of its own, for as long as a stream is
 * followed. It only reads the ring; whatever happens to ffmpeg or the RTMP server, it is tried again and nothing else notices.
 */
export class RtmpRelay {
  readonly #options: RelayOptions;
  #codec: VideoCodec | undefined;
  #run: { readonly stop: AbortController; readonly over: Promise<void> } | undefined;
  #failing: string | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** The codec of the stream to carry, undefined when there is none (any more). The same again does nothing. */
  follow(codec: VideoCodec | undefined): void {
    if (codec === this.#codec) return;
    this.#codec = codec;
    const before = this.#run;
    before?.stop.abort();
    if (codec !== 'h264') {
      this.#failing = undefined;
      return;
    }
    const stop = new AbortController();
    this.#run = { stop, over: this.#keepRunning(before?.over, stop.signal) };
  }

  /** Why the live address does not carry the stream. */
  get problem(): Problem | undefined {
    const code = 'rtmp-not-carried';
    if (this.#codec === 'hevc') {
      return {
        code,
        severity: 'warning',
        message: 'The live address does not carry this stream: HEVC cannot go over RTMP with this ffmpeg.',
        remedy: `Open ${this.#options.liveUrl()} instead, or choose an H.264 encoder in the program that sends.`,
      };
    }
    if (this.#failing === undefined) return undefined;
    return {
      code,
      severity: 'warning',
      message: `The live address does not carry this stream: ${this.#failing}`,
      remedy: `It is tried again by itself; until then open ${this.#options.liveUrl()}.`,
    };
  }

  /** Resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.follow(undefined);
    await this.#run?.over;
  }

  /** Never rejects. */
  async #keepRunning(before: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    await before;
    const backoff = new Backoff({ delaysMs: [100, 500, 1000, 2000, 5000], healthyMs: 5000, forever: true });
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      const url = this.#options.url();
      if (url === null) {
        await pause(SERVER_POLL_MS, signal);
        continue;
      }
      const startedAt = performance.now();
      const reason = await this.#runOnce(url, signal).catch((error: unknown) => {
        log.warn({ err: error }, 'the relay to the live address failed');
        return 'ffmpeg could not be started.';
      });
      if (isOver()) break;
      const wait = backoff.next(performance.now() - startedAt);
      log.info({ reason, attempt: backoff.attempt }, 'the relay to the live address ended; starting it again');
      this.#tell(backoff.attempt >= TELL_AFTER ? reason : undefined);
      await pause(wait === 'give-up' ? SERVER_POLL_MS : wait, signal);
    }
    this.#tell(undefined);
  }

  /** One ffmpeg from start to end; answers why it ended. */
  async #runOnce(url: string, signal: AbortSignal): Promise<string> {
    const { ring, tools, log } = this.#options;
    const { ffmpeg } = await tools.get();
    const cursor = ring.openCursor({ start: 'newest', whenLate: 'newest', maxBehindBytes: BEHIND_BYTES });
    let child: Child | undefined;
    try {
      // it begins with PAT and PMT
      const first = await cursor.next(signal);
      if (!first) return 'the stream ended.';
      const running = startChild({
        name: 'ffmpeg relay',
        command: ffmpeg,
        args: relayArgs(url, soundOf(first)),
        onStderrLine: (line) => log.debug({ line }, 'ffmpeg relay'),
      });
      child = running;
      const over = new AbortController();
      const onAbort = (): void => over.abort();
      signal.addEventListener('abort', onAbort, { once: true });
      void running.exited.then(onAbort);
      const healthy = setTimeout(() => this.#tell(undefined), FROZEN_MS);
      try {
        for (let chunk: Uint8Array | null = first; chunk; chunk = await cursor.next(over.signal)) {
          if (!(await taken(running, chunk, over.signal))) break;
        }
      } finally {
        clearTimeout(healthy);
        signal.removeEventListener('abort', onAbort);
      }
      return running.stderrTail().at(-1) ?? 'ffmpeg ended.';
    } finally {
      cursor.close();
      // the stream's end ends ffmpeg, and with it the publication; a hanging one is killed
      child?.stdin.end();
      if (child && !(await within(child.exited, 1000))) await child.stop(STOP);
    }
  }

  #tell(failing: string | undefined): void {
    if (failing === this.#failing) return;
    this.#failing = failing;
    this.#options.onChange();
  }
}

/** Writes a chunk and waits until the system took it; false when `signal` aborts first or nothing is taken for too long. */
async function taken(child: Child, chunk: Uint8Array, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  return new Promise((resolve) => {
    const settle = (answer: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(answer);
    };
    const onAbort = (): void => settle(false);
    const timer = setTimeout(() => settle(false), FROZEN_MS);
    signal.addEventListener('abort', onAbort, { once: true });
    child.stdin.write(chunk, (error) => settle(!error));
  });
}
