import type { Problem, RtmpPeer } from '../../../../contract/index.ts';
import type { Log } from '../../logging/log.ts';
import type { Sink } from '../../pipes/owner.ts';
import { Backoff, pause } from '../../process/backoff.ts';
import { startChild } from '../../process/child.ts';
import { withoutToken } from '../../rtmp/redact.ts';
import { noteLine, pullArgs, type StreamFindings } from './pull-args.ts';

export type PullDeps = {
  /** the program that publishes the stream now */
  publisher: () => RtmpPeer | undefined;
  /** where to read it; null while the RTMP server is down */
  readUrl: () => string | null;
  /** Errors: `ffmpeg-missing`. */
  ffmpeg: () => Promise<{ ffmpeg: string; version: string }>;
  log: Log;
  onChange: () => void;
};

/** What may arrive before ffmpeg has said what it is. */
const HELD_BYTES = 4_000_000;
/** A publisher whose stream brings nothing for this long sends something we cannot read. */
const SILENT_MS = 5000;
const POLL_MS = 500;
const STOP = { termMs: 500 } as const;

/**
 * Reads what somebody publishes on one RTMP address, for as long as a sink is attached: one `ffmpeg -c copy` for each publisher, begun when
 * it appears and ended when it leaves. One sender after another, like the pipe: the next one is a new stream.
 */
export class RtmpPull {
  readonly refusedAt = undefined;
  readonly #deps: PullDeps;
  #problem: Problem | undefined;
  #changed: () => void = () => undefined;
  #over: Promise<void> = Promise.resolve();

  constructor(deps: PullDeps) {
    this.#deps = deps;
  }

  /** Why the picture of a present publisher does not come. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** To be called when publishers came or went, or the server did. */
  publishersChanged(): void {
    this.#changed();
  }

  /** Reads from now on. At most one sink at a time. */
  attach(sink: Sink): () => void {
    const stop = new AbortController();
    this.#over = this.#over.then(async () => this.#keepReading(sink, stop.signal));
    return () => stop.abort();
  }

  /** Resolves when, after detaching, nothing of it is left. */
  async idle(): Promise<void> {
    await this.#over;
  }

  /** Never rejects. */
  async #keepReading(sink: Sink, signal: AbortSignal): Promise<void> {
    const { log, publisher, readUrl } = this.#deps;
    const backoff = new Backoff({ delaysMs: [100, 500, 1000, 2000], healthyMs: 5000, forever: true });
    const mode = { encodeSound: false, of: '' };
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      const [from, url] = [publisher(), readUrl()];
      if (!from || url === null) {
        this.#tell(undefined);
        await this.#change(signal);
        continue;
      }
      if (mode.of !== from.id) Object.assign(mode, { encodeSound: false, of: from.id });
      const startedAt = performance.now();
      const why = await this.#runOnce(sink, from, url, mode, signal).catch((error: unknown) => {
        log.warn({ err: error }, 'an RTMP stream could not be read');
        return 'ended' as const;
      });
      if (isOver()) break;
      if (why === 'publisher-changed' || why === 'sound-to-encode') continue;
      const wait = backoff.next(performance.now() - startedAt);
      await pause(wait === 'give-up' ? POLL_MS : wait, signal);
    }
    this.#problem = undefined;
  }

  /** One ffmpeg from start to end. */
  async #runOnce(
    sink: Sink,
    from: RtmpPeer,
    url: string,
    mode: { encodeSound: boolean },
    signal: AbortSignal,
  ): Promise<'ended' | 'publisher-changed' | 'sound-to-encode'> {
    const { log, publisher, ffmpeg } = this.#deps;
    const tools = await ffmpeg();
    const found: StreamFindings = {};
    let [known, begun, heldBytes] = [false, false, 0];
    const held: Buffer[] = [];
    const give = (chunk: Buffer): void => {
      if (signal.aborted) return;
      if (!begun) {
        begun = true;
        this.#tell(undefined);
        sink.begin();
      }
      sink.data(chunk);
    };
    const over = new AbortController();
    const end = (): void => over.abort();
    const run: { outcome: 'ended' | 'publisher-changed' | 'sound-to-encode' } = { outcome: 'ended' };
    const child = startChild({
      name: 'ffmpeg rtmp source',
      command: tools.ffmpeg,
      args: pullArgs(url, mode),
      onStdout: (chunk) => {
        // what cannot be used is not let in either
        if (known) {
          if (isReadable(found)) give(chunk);
        } else if ((heldBytes += chunk.length) <= HELD_BYTES) held.push(chunk);
        else end();
      },
      onStderrLine: (line) => {
        log.debug({ line: withoutToken(line) }, 'ffmpeg rtmp source');
        if (known || !noteLine(line, found)) return;
        if (!mode.encodeSound && found.audio !== undefined && found.audio !== 'aac') {
          mode.encodeSound = true;
          run.outcome = 'sound-to-encode';
          end();
          return;
        }
        known = true;
        if (!isReadable(found)) this.#tell(unreadable(from, found, tools.version));
        else for (const chunk of held.splice(0)) give(chunk);
      },
    });
    child.stdin.end();
    const silent = setTimeout(() => {
      if (!begun) this.#tell(unreadable(from, found, tools.version));
    }, SILENT_MS);
    const onChanged = (): void => {
      if (publisher()?.id === from.id) return;
      run.outcome = 'publisher-changed';
      end();
    };
    this.#changed = onChanged;
    signal.addEventListener('abort', end, { once: true });
    void child.exited.then(end);
    onChanged();
    if (signal.aborted) end();
    try {
      await aborted(over.signal);
      // what it still holds comes out on SIGTERM, which is the end of the stream
      const exit = await child.stop(STOP);
      if (!exit.requested) log.info({ code: exit.code }, 'reading an RTMP stream ended');
      if (run.outcome === 'ended' && !begun && !signal.aborted && publisher()?.id === from.id)
        this.#tell(unreadable(from, found, tools.version));
      return run.outcome;
    } finally {
      clearTimeout(silent);
      signal.removeEventListener('abort', end);
      this.#changed = () => undefined;
      if (begun && !signal.aborted) sink.end();
    }
  }

  async #change(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const wake = (): void => over.abort();
    signal.addEventListener('abort', wake, { once: true });
    this.#changed = wake;
    // what changes without a word is seen all the same
    await pause(POLL_MS, over.signal);
    signal.removeEventListener('abort', wake);
    this.#changed = () => undefined;
  }

  #tell(problem: Problem | undefined): void {
    if (problem?.message === this.#problem?.message) return;
    this.#problem = problem;
    this.#deps.onChange();
  }
}

const isReadable = ({ video, unsupportedVideo }: StreamFindings): boolean =>
  unsupportedVideo !== true && (video === 'h264' || video === 'hevc');

/** Why a present publisher's picture cannot be had. */
function unreadable({ path, videoCodec }: RtmpPeer, found: StreamFindings, version: string): Problem {
  const of = (message: string, remedy: string): Problem => ({
    code: 'input-unreadable',
    severity: 'error',
    message,
    remedy,
  });
  if (found.unsupportedVideo === true || /hevc|h\.?265|hvc1/i.test(videoCodec ?? ''))
    return of(
      `The stream on ${path} is HEVC or another codec that ffmpeg ${version} cannot read over RTMP.`,
      'Choose an H.264 encoder in the program that sends, or install ffmpeg 6.1 or newer.',
    );
  if (found.video !== undefined && !isReadable(found))
    return of(
      `The stream on ${path} is ${found.video}, not H.264.`,
      'Choose an H.264 encoder in the program that sends.',
    );
  return of(
    `A program publishes on ${path}, but no picture comes.`,
    'Check that it sends H.264 pictures; it is tried again by itself.',
  );
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
