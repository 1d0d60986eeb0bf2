import {
  StudioError,
  type ErrorInfo,
  type PushStatus,
  type PushTarget,
  type VideoCodec,
} from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { Log } from '../logging/log.ts';
import { LiveFeed, type FeedProgram } from '../outgoing/live-feed.ts';
import type { ReplayRing } from '../replay/ring.ts';
import { soundOf } from '../rtmp/relay-args.ts';
import { destinationOf, parsePushAddress } from './address.ts';
import { carries, pushArgs } from './args.ts';
import { pushFailure } from './failures.ts';
import type { AbilityCache, PushFiles } from './files.ts';

export type PusherDeps = {
  ring: Pick<ReplayRing, 'openCursor'>;
  /** Errors: `ffmpeg-missing`. */
  ffmpeg: () => Promise<Ffmpeg>;
  abilities: Pick<AbilityCache, 'of'>;
  files: PushFiles;
  log: Log;
  /** monotonic, seconds */
  clock: () => number;
  /** Unix, seconds */
  now: () => number;
  onChange: () => void;
};

/** A few seconds of a good picture; further behind than that nobody would call it live. */
const BEHIND_BYTES = 8_000_000;
/** From ffmpeg's start until the server has taken the first bytes; connecting to far away takes seconds. */
const WORK_MS = 20_000;
const RATE_SECONDS = 2;

/** One server the stream is pushed to: its ffmpeg, kept running while it is enabled and something is live. */
export class Pusher {
  readonly #deps: PusherDeps;
  readonly #feed: LiveFeed;
  #target: PushTarget;
  readonly #key: string;
  #codec: VideoCodec | undefined;
  #state: PushStatus['state'];
  #since: number;
  #attempt = 0;
  #error: ErrorInfo | undefined;
  #written: { at: number; bytes: number }[] = [];

  constructor(target: PushTarget, key: string, deps: PusherDeps) {
    this.#target = target;
    this.#key = key;
    this.#deps = deps;
    this.#state = target.enabled ? 'waiting' : 'off';
    this.#since = deps.now();
    this.#feed = new LiveFeed({
      // not the address: it may be long, and a name is what people know
      name: `push ${target.id}`,
      ring: deps.ring,
      log: deps.log,
      clean: (line) => (this.#key === '' ? line : line.replaceAll(this.#key, '***')),
      delaysMs: [500, 1000, 2000, 5000, 10_000],
      behindBytes: BEHIND_BYTES,
      ready: () => true,
      program: async (first) => this.#program(first),
      workMs: WORK_MS,
      onStart: () => {
        if (this.#state === 'live') this.#enter('connecting');
      },
      onEnd: (end) => {
        this.#attempt = end.attempt;
        this.#error = pushFailure(end);
        this.#enter('retrying');
      },
    });
  }

  get status(): PushStatus {
    return {
      ...this.#target,
      hasKey: this.#key !== '',
      state: this.#state,
      since: this.#since,
      attempt: this.#attempt,
      ...(this.#error && this.#state === 'retrying' ? { error: this.#error } : {}),
      kbps: this.#state === 'live' ? this.#kbps() : null,
      skips: this.#feed.skips,
    };
  }

  get target(): PushTarget {
    return this.#target;
  }

  /** The codec of what is live now, undefined when nothing is. */
  follow(codec: VideoCodec | undefined): void {
    if (codec === this.#codec) return;
    this.#codec = codec;
    this.#apply();
  }

  enable(enabled: boolean): void {
    if (enabled === this.#target.enabled) return;
    this.#target = { ...this.#target, enabled };
    this.#apply();
  }

  /** Resolves when nothing of it is left. */
  async close(): Promise<void> {
    await this.#feed.close();
  }

  #apply(): void {
    const wanted = this.#target.enabled ? this.#codec : undefined;
    this.#attempt = 0;
    this.#error = undefined;
    this.#enter(!this.#target.enabled ? 'off' : wanted === undefined ? 'waiting' : 'connecting');
    this.#feed.follow(wanted);
  }

  async #program(first: Uint8Array): Promise<FeedProgram> {
    const { ffmpeg, abilities, files } = this.#deps;
    const address = parsePushAddress(this.#target.url);
    const destination = destinationOf(address, this.#key);
    const tools = await ffmpeg();
    const { protocols, presets } = await abilities.of(tools);
    if (!protocols.has(address.scheme))
      throw new StudioError(
        'push-failed',
        `This ffmpeg does not know ${address.scheme}.`,
        'Install a full ffmpeg, or use another kind of address.',
      );
    if (this.#codec !== undefined && !carries(destination.format, this.#codec, tools.version))
      throw new StudioError(
        'push-failed',
        'HEVC cannot go over RTMP with this ffmpeg.',
        'Choose an H.264 encoder, an SRT address, or install ffmpeg 6.1 or newer.',
      );
    const secretFile = destination.secret && presets ? await files.secret(destination.secret) : undefined;
    const caFile = address.scheme === 'rtmps' ? await files.roots() : undefined;
    const forget = (): void => secretFile?.remove();
    this.#written = [];
    return {
      command: tools.ffmpeg,
      args: pushArgs({ destination, sound: soundOf(first), secretFile: secretFile?.file, caFile }),
      onControlLine: (line) => {
        // the first report comes once the server takes the stream, so the options were read
        const bytes = Number(/^total_size=(\d+)$/.exec(line)?.[1] ?? 0);
        if (bytes === 0) return;
        forget();
        this.#note(bytes);
      },
      done: forget,
    };
  }

  #note(bytes: number): void {
    const at = this.#deps.clock();
    this.#written = [...this.#written.filter((sample) => at - sample.at <= RATE_SECONDS + 1), { at, bytes }];
    if (this.#state === 'live' || !this.#target.enabled || this.#codec === undefined) return;
    this.#feed.works();
    this.#attempt = 0;
    this.#error = undefined;
    this.#enter('live');
  }

  #kbps(): number | null {
    const now = this.#deps.clock();
    const [first, last] = [this.#written.find(({ at }) => now - at <= RATE_SECONDS + 1), this.#written.at(-1)];
    if (!first || !last || last.at - first.at < 0.5) return now - (last?.at ?? now) > RATE_SECONDS ? 0 : null;
    return Math.round(((last.bytes - first.bytes) * 8) / (last.at - first.at) / 1000);
  }

  #enter(state: PushStatus['state']): void {
    if (state !== this.#state) this.#since = this.#deps.now();
    this.#state = state;
    this.#deps.onChange();
  }
}
