import { readdir } from 'node:fs/promises';
import { StudioError, toErrorInfo, type EncoderId, type EncoderStatus } from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { Log } from '../logging/log.ts';
import { keyOf, readCache, writeCache } from './cache.ts';
import { pause } from '../process/backoff.ts';
import { EncoderLine, candidates, type EncoderWish } from './line.ts';
import { encodersOf } from './table.ts';
import { tryEncoder } from './trial.ts';

export type EncodersDeps = {
  platform: NodeJS.Platform;
  ffmpeg: () => Promise<Ffmpeg>;
  /** where results are kept */
  cacheFile: string;
  log: Log;
  onChange: () => void;
  /** trials that nobody asked for begin this long after the start, which has enough to do */
  settleMs?: number;
  /** tries one encoder; for tests */
  attempt?: typeof tryEncoder;
};

const SETTLE_MS = 5000;

/** `/dev/dri/renderD128` on most machines with one card; null without one. */
async function findRenderNode(): Promise<string | null> {
  const names = await readdir('/dev/dri').catch(() => []);
  const [first] = names.filter((name) => /^renderD\d+$/.test(name)).sort();
  return first === undefined ? null : `/dev/dri/${first}`;
}

/**
 * What can encode here. Every encoder is tried by encoding a second of video, one after another and behind everything else, and what came out is
 * kept for as long as ffmpeg stays the same. A capture never waits for it: it takes what is known, or x264.
 */
export class Encoders {
  readonly #deps: EncodersDeps;
  readonly #closing = new AbortController();
  #statuses: EncoderStatus[];
  /** aborts the trial under way; the round then waits until the capture is over */
  #current: AbortController | undefined;
  #capturing = false;
  #asked = false;
  #started = false;
  #resume: (() => void) | undefined;
  #round: Promise<void> | undefined;

  constructor(deps: EncodersDeps) {
    this.#deps = deps;
    this.#statuses = encodersOf(deps.platform).map(({ id, codec, hardware }) => ({
      id,
      codec,
      hardware,
      state: 'untested',
    }));
  }

  get statuses(): readonly EncoderStatus[] {
    return this.#statuses;
  }

  /** Takes the kept results, or tries every encoder in the background. Never rejects. */
  async start(): Promise<void> {
    try {
      const ffmpeg = await this.#deps.ffmpeg();
      const kept = await readCache(this.#deps.cacheFile, await keyOf(ffmpeg));
      this.#started = true;
      if (kept) for (const status of kept) this.#set(status.id, status);
      else this.#begin(ffmpeg, false);
    } catch (error) {
      this.#deps.log.info({ err: error }, 'no ffmpeg yet to try encoders with');
    }
  }

  /** Tries every encoder anew, also while something is captured: whoever asks wants to know. Errors: `ffmpeg-missing`. */
  async testAll(): Promise<void> {
    const ffmpeg = await this.#deps.ffmpeg();
    this.#asked = true; // a round that waits for the end of a capture waits no longer
    this.#resume?.();
    await this.#round;
    this.#begin(ffmpeg, true);
    await this.#round;
  }

  /** Trials wait while a capture runs, because both would be slower. */
  setCapturing(capturing: boolean): void {
    if (capturing === this.#capturing) return;
    this.#capturing = capturing;
    if (capturing && !this.#asked) this.#current?.abort();
    else this.#resume?.();
  }

  /** An encoder failed in a real capture: it is not chosen by itself again until it is tested. */
  noteFailure(id: EncoderId, error: StudioError): void {
    const { codec, hardware } = this.#statusOf(id) ?? {};
    if (codec === undefined || hardware === undefined) return;
    this.#set(id, { id, codec, hardware, state: 'failed', error: error.toInfo() });
  }

  /** The encoders for a capture, best first. */
  async line(wish: EncoderWish, ffmpeg: Ffmpeg): Promise<EncoderLine> {
    // ffmpeg may have been installed after our own start
    if (!this.#started) await this.start();
    const { platform } = this.#deps;
    const facts = { platform, statuses: this.#statuses, built: ffmpeg.encoders };
    return new EncoderLine(wish, candidates(wish, facts), await findRenderNode());
  }

  /** See `EncoderRequest.renderNode`. */
  async renderNode(): Promise<string | null> {
    return findRenderNode();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#current?.abort();
    this.#resume?.();
    await this.#round;
  }

  #begin(ffmpeg: Ffmpeg, asked: boolean): void {
    this.#started = true;
    this.#asked = asked;
    this.#round ??= this.#tryAll(ffmpeg)
      .catch((error: unknown) => this.#deps.log.warn({ err: error }, 'trying the encoders failed'))
      .finally(() => {
        this.#round = undefined;
      });
  }

  async #tryAll(ffmpeg: Ffmpeg): Promise<void> {
    const { platform, cacheFile, log } = this.#deps;
    if (!this.#asked) await pause(this.#deps.settleMs ?? SETTLE_MS, this.#closing.signal);
    const key = await keyOf(ffmpeg);
    const renderNode = await findRenderNode();
    const kinds = encodersOf(platform);
    for (const { id, codec, hardware } of kinds) this.#set(id, { id, codec, hardware, state: 'untested' });
    for (const { id } of kinds) {
      while (!(await this.#tryOne(id, ffmpeg, renderNode))) {
        if (this.#closing.signal.aborted) return;
      }
    }
    await writeCache(cacheFile, key, this.#statuses).catch((error: unknown) =>
      log.warn({ err: error }, 'what the encoders can do could not be kept; they are tried again at the next start'),
    );
  }

  /** False when it has to be tried again, because a capture came between. */
  async #tryOne(id: EncoderId, ffmpeg: Ffmpeg, renderNode: string | null): Promise<boolean> {
    if (!this.#asked) await this.#untilIdle();
    if (this.#closing.signal.aborted) return false;
    const { log, attempt = tryEncoder } = this.#deps;
    const before = this.#statusOf(id);
    if (!before) return true;
    const { codec, hardware } = before;
    const current = new AbortController();
    this.#current = current;
    this.#set(id, { id, codec, hardware, state: 'testing' });
    try {
      const trialFps = await attempt(id, ffmpeg, renderNode, current.signal);
      this.#set(id, { id, codec, hardware, state: 'works', trialFps: Math.round(trialFps) });
      log.info({ encoder: id, trialFps: Math.round(trialFps) }, 'this encoder works');
      return true;
    } catch (thrown) {
      if (current.signal.aborted) {
        this.#set(id, before);
        return false;
      }
      const cause = thrown instanceof StudioError ? thrown.cause : thrown;
      log.info({ encoder: id, err: cause }, 'this encoder does not work here');
      this.#set(id, { id, codec, hardware, state: 'failed', error: toErrorInfo(thrown) });
      return true;
    } finally {
      this.#current = undefined;
    }
  }

  async #untilIdle(): Promise<void> {
    while (this.#capturing && !this.#asked && !this.#closing.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
  }

  #statusOf(id: EncoderId): EncoderStatus | undefined {
    return this.#statuses.find((status) => status.id === id);
  }

  #set(id: EncoderId, status: EncoderStatus): void {
    this.#statuses = this.#statuses.map((old) => (old.id === id ? status : old));
    this.#deps.onChange();
  }
}
