import type { CameraMode } from '../../ffmpeg/listings.ts';

/** A picture of this many lines is what a camera is asked for; more costs the game. */
const WANTED_LINES = 1080;
/** Up to here uncompressed pictures pass a USB 2 line at full rate; above, such a camera gives five a second. */
const RAW_LINES = 480;

/**
 * The mode nearest to the wish: the rate first, then at most 1080 lines and as many of them as there are, 16:9 before others, and compressed
 * only where uncompressed would be slow. Undefined for an empty list.
 */
export function chooseMode(modes: readonly CameraMode[], fps: number): CameraMode | undefined {
  const readable = modes.filter(({ format }) => format !== 'h264' && format !== 'hevc');
  return [...(readable.length > 0 ? readable : modes)].sort((a, b) => compare(rank(a, fps), rank(b, fps)))[0];
}

/** The rate to ask a mode for: the wish, within what it offers. */
export const rateOf = ({ fps }: CameraMode, wanted: number): number =>
  fps ? Math.min(fps[1], Math.max(fps[0], wanted)) : wanted;

function rank(mode: CameraMode, fps: number): readonly number[] {
  const { width, height, compressed } = mode;
  const tooSlow = Math.max(0, fps - rateOf(mode, fps) - 1);
  const tooTall = Math.max(0, height - WANTED_LINES);
  const wide = Math.abs(width / height - 16 / 9) < 0.02;
  const slowOnUsb = mode.fps === undefined && !compressed && height > RAW_LINES;
  return [tooSlow, tooTall, slowOnUsb ? 1 : 0, -height, wide ? 0 : 1, -width, compressed ? 1 : 0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) {
    const difference = value - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
