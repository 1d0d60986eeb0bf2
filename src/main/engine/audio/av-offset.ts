import { startChild } from '../process/child.ts';

/** A value measured on a stream, and its moment, seconds. */
type Point = { at: number; value: number };

const MEASURE_MS = 30_000;
/** Sound is looked at in pieces of so many frames at 48 kHz: 2 ms. */
const PIECE = 96;
/** A flash and a beep that are further apart belong to others, seconds. */
const FURTHEST = 0.4;
/** A flash is at least so much brighter than what is before it, of 255, and a beep so much louder, dB. */
const FLASH = 40;
const BEEP_DB = 20;
const FLOOR_DB = -100;

/** Reads the lines of ffmpeg's `metadata=print` and `ametadata=print` (5.1): a line with `pts_time`, then one with the value. */
export class PointParser {
  readonly points: Point[] = [];
  #at = 0;

  push(line: string): void {
    const time = /pts_time:(-?[\d.]+)/.exec(line)?.[1];
    if (time !== undefined) this.#at = Number(time);
    const value = /^lavfi\.[\w.]+=(\S+)/.exec(line)?.[1];
    if (value === undefined) return;
    const number = Number(value);
    this.points.push({ at: this.#at, value: Number.isFinite(number) ? number : FLOOR_DB });
  }
}

/** The moments at which a value leaves what is usual, which is its lower half, by `step`. */
export function onsets(points: readonly Point[], step: number): number[] {
  const sorted = points.map(({ value }) => value).sort((a, b) => a - b);
  const threshold = (sorted[Math.floor(sorted.length / 4)] ?? 0) + step;
  return points.flatMap(({ at, value }, i) => {
    const before = points[i - 1];
    return before && before.value < threshold && value >= threshold ? [at] : [];
  });
}

export type AvOffset = {
  /** how much later the sound is than its picture, the median, ms; a picture is seen up to one picture late */
  offsetMs: number;
  /** flashes that had their beep */
  pairs: number;
};

/** The median distance from each flash to its beep; undefined without any. */
export function offsetOf(flashes: readonly number[], beeps: readonly number[]): AvOffset | undefined {
  const skews = flashes
    .flatMap((flash) => {
      const near = beeps.map((beep) => beep - flash).filter((skew) => Math.abs(skew) < FURTHEST);
      return near.sort((a, b) => Math.abs(a) - Math.abs(b)).slice(0, 1);
    })
    .sort((a, b) => a - b);
  const median = skews[Math.floor(skews.length / 2)];
  return median === undefined ? undefined : { offsetMs: Math.round(median * 1000), pairs: skews.length };
}

/**
 * How far apart sound and picture are in a recording of pictures that flash while a tone beeps (MPEG-TS or any file, whole or its bytes).
 * Undefined where there are no flashes or no beeps, or ffmpeg cannot read it; ended after 30 s.
 */
export async function measureAvOffset(
  ffmpeg: string,
  recording: string | Uint8Array,
  signal: AbortSignal,
): Promise<AvOffset | undefined> {
  const [pictures, sounds] = [new PointParser(), new PointParser()];
  const brightness = 'scale=64:36,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-';
  const loudness = `aresample=48000,asetnsamples=n=${PIECE},astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.RMS_level:file=pipe\\\\:3`;
  const child = startChild({
    name: 'ffmpeg offset',
    command: ffmpeg,
    args: [
      ...['-hide_banner', '-nostats', '-loglevel', 'error', '-i', typeof recording === 'string' ? recording : 'pipe:0'],
      ...['-map', '0:v:0', '-vf', brightness, '-f', 'null', '-', '-map', '0:a:0', '-af', loudness, '-f', 'null', '-'],
    ],
    onStdoutLine: (line) => pictures.push(line),
    onControlLine: (line) => sounds.push(line),
  });
  const kill = (): void => child.kill();
  const timer = setTimeout(kill, MEASURE_MS);
  signal.addEventListener('abort', kill, { once: true });
  if (signal.aborted) kill();
  if (typeof recording === 'string') child.stdin.end();
  else child.stdin.end(recording);
  const { code } = await child.exited;
  clearTimeout(timer);
  signal.removeEventListener('abort', kill);
  return code === 0 ? offsetOf(onsets(pictures.points, FLASH), onsets(sounds.points, BEEP_DB)) : undefined;
}
