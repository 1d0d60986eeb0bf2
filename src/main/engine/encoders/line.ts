import type {
  EncoderChoice,
  EncoderId,
  EncoderStatus,
  FrameRate,
  PictureQuality,
  VideoCodec,
} from '../../../contract/index.ts';
import { encoderPlan } from './arguments.ts';
import type { EncoderPlan } from './plan.ts';
import { encodersOf, kindOf } from './table.ts';

export type EncoderWish = {
  encoder: EncoderChoice;
  codec: VideoCodec;
  quality: PictureQuality;
  bitrateKbps: number | null;
  fps: FrameRate;
};

export type EncoderFacts = {
  platform: NodeJS.Platform;
  statuses: readonly EncoderStatus[];
  /** what the ffmpeg in use was built with */
  built: ReadonlySet<string>;
};

/**
 * Encoders in the order they are to be tried: the one the user chose, hardware of the codec that passed its trial, software of the codec; and
 * for want of all these x264, because a picture in another codec is better than none. Never empty, nothing twice.
 */
export function candidates(
  wish: Pick<EncoderWish, 'encoder' | 'codec'>,
  facts: EncoderFacts,
): [EncoderId, ...EncoderId[]] {
  const { encoder } = wish;
  const codec = encoder === 'auto' ? wish.codec : kindOf(encoder).codec;
  const works = (id: EncoderId): boolean =>
    facts.statuses.some((status) => status.id === id && status.state === 'works');
  const byItself = encodersOf(facts.platform)
    .filter((kind) => kind.codec === codec && facts.built.has(kind.id) && (!kind.hardware || works(kind.id)))
    .map(({ id }) => id);
  const [first, ...rest] = [
    ...new Set<EncoderId>([...(encoder === 'auto' ? [] : [encoder]), ...byItself, 'libx264' as const]),
  ];
  return first === undefined ? ['libx264'] : [first, ...rest];
}

/** The encoders one capture may use, best first; it moves on when one fails and never back. */
export class EncoderLine {
  readonly wish: EncoderWish;
  readonly #renderNode: string | null;
  readonly #rest: EncoderId[];
  #current: EncoderId;

  constructor(wish: EncoderWish, [first, ...rest]: readonly [EncoderId, ...EncoderId[]], renderNode: string | null) {
    this.wish = wish;
    this.#current = first;
    this.#rest = rest;
    this.#renderNode = renderNode;
  }

  get current(): EncoderId {
    return this.#current;
  }

  get codec(): VideoCodec {
    return kindOf(this.#current).codec;
  }

  /** another one is left */
  get hasNext(): boolean {
    return this.#rest.length > 0;
  }

  plan(output: { width: number; height: number }): EncoderPlan {
    const { quality, bitrateKbps, fps } = this.wish;
    return encoderPlan(this.#current, { fps, quality, bitrateKbps, ...output, renderNode: this.#renderNode });
  }

  /** Gives up the present encoder; answers the next one, undefined when there is none. */
  next(): EncoderId | undefined {
    const next = this.#rest.shift();
    if (next !== undefined) this.#current = next;
    return next;
  }
}
