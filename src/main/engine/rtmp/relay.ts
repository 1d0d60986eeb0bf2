import type { Problem, VideoCodec } from '../../../contract/index.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import { LiveFeed, type FeedEnd } from '../outgoing/live-feed.ts';
import type { ReplayRing } from '../replay/ring.ts';
import { hevcNotCarried } from './not-carried.ts';
import { withoutToken } from './redact.ts';
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
/** From here on failing again and again is worth telling. */
const TELL_AFTER = 3;

/**
 * Puts what another program sends on the live address: one `ffmpeg -c copy`, fed by a cursor of its own, for as long as a stream is
 * followed (`LiveFeed`).
 */
export class RtmpRelay {
  readonly #options: RelayOptions;
  readonly #feed: LiveFeed;
  #codec: VideoCodec | undefined;
  #failing: string | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { ring, tools, log } = options;
    this.#feed = new LiveFeed({
      ...{ ring, log, name: 'the relay to the live address', behindBytes: BEHIND_BYTES },
      delaysMs: [100, 500, 1000, 2000, 5000],
      clean: withoutToken,
      ready: () => options.url() !== null,
      program: async (first) => {
        const { ffmpeg } = await tools.get();
        const url = options.url();
        if (url === null) throw new Error('the RTMP server went down');
        return { command: ffmpeg, args: relayArgs(url, soundOf(first)) };
      },
      onEnd: (end) => this.#tell(end.attempt >= TELL_AFTER ? reasonOf(end) : undefined),
      onSteady: () => this.#tell(undefined),
    });
  }

  /** The codec of the stream to carry, undefined when there is none (any more). The same again does nothing. */
  follow(codec: VideoCodec | undefined): void {
    if (codec === this.#codec) return;
    this.#codec = codec;
    this.#failing = undefined;
    this.#feed.follow(codec === 'h264' ? codec : undefined);
  }

  /** Why the live address does not carry the stream. */
  get problem(): Problem | undefined {
    const code = 'rtmp-not-carried';
    if (this.#codec === 'hevc') {
      return hevcNotCarried(this.#options.liveUrl(), 'choose an H.264 encoder in the program that sends');
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
    await this.#feed.close();
  }

  #tell(failing: string | undefined): void {
    if (failing === this.#failing) return;
    this.#failing = failing;
    this.#options.onChange();
  }
}

const reasonOf = ({ thrown, stderr }: FeedEnd): string =>
  thrown === undefined ? (stderr.at(-1) ?? 'ffmpeg ended.') : 'ffmpeg could not be started.';
