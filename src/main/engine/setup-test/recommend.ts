import type { EncoderHeadroom, FrameRate, PictureSize, SetupReport, VideoCodec } from '../../../contract/index.ts';
import { encoderName, kindOf } from '../encoders/table.ts';

export type Recommendation = NonNullable<SetupReport['recommendation']>;

/** An encoder that is this many times real time has room for a game that gets busier. */
export const ENOUGH_HEADROOM = 1.5;

/** The pictures that are tried, by their height; `source` has no size of its own. */
export const TRIED_SIZES = {
  '1080p': { width: 1920, height: 1080 },
  '720p': { width: 1280, height: 720 },
  '480p': { width: 854, height: 480 },
} as const;
export type TriedSize = keyof typeof TRIED_SIZES;

const HEIGHTS: Record<PictureSize, number> = { source: 0, '1080p': 1080, '720p': 720, '480p': 480 };

/** Pictures per second at a size, as the headroom at each frame rate. */
export const headrooms = (
  encoder: EncoderHeadroom['encoder'],
  pictureSize: TriedSize,
  picturesPerSecond: number,
  rates: readonly FrameRate[],
): EncoderHeadroom[] =>
  rates.map((fps) => ({
    encoder,
    codec: kindOf(encoder).codec,
    pictureSize,
    fps,
    headroom: Math.round((picturesPerSecond / fps) * 100) / 100,
  }));

/** "1080p60 with NVENC H.264: 1.9 x headroom". */
const inWords = ({ pictureSize, fps, encoder, headroom }: EncoderHeadroom): string =>
  `${pictureSize}${fps} with ${encoderName(encoder)}: ${headroom.toFixed(1)} x headroom`;

/**
 * What can be recommended, best first: the most pixels per second among what has at least `ENOUGH_HEADROOM`, hardware before software, then the
 * most headroom. When nothing has enough, the one with the most headroom of at least 1; else nothing. Pure.
 */
export function recommendations(measured: readonly EncoderHeadroom[], codec: VideoCodec): Recommendation[] {
  const usable = measured.filter((entry) => entry.codec === codec && entry.headroom >= 1);
  const enough = usable.filter(({ headroom }) => headroom >= ENOUGH_HEADROOM);
  const area = ({ pictureSize, fps }: EncoderHeadroom): number => HEIGHTS[pictureSize] ** 2 * fps;
  const hardware = ({ encoder }: EncoderHeadroom): number => (kindOf(encoder).hardware ? 1 : 0);
  const ranked =
    enough.length > 0
      ? [...enough].sort((a, b) => area(b) - area(a) || hardware(b) - hardware(a) || b.headroom - a.headroom)
      : [...usable].sort((a, b) => b.headroom - a.headroom).slice(0, 1);
  return ranked.map((entry) => ({
    encoder: entry.encoder,
    pictureSize: entry.pictureSize,
    fps: entry.fps,
    sentence: inWords(entry),
  }));
}
