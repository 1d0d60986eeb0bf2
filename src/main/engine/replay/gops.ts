import type { VideoCodec } from '../../../contract/replay.ts';
import type { Program } from '../transport/indexer.ts';
import type { Cut } from '../transport/pidState.ts';
import type { PictureFormat } from '../transport/sps.ts';
import { TICKS_PER_SECOND } from '../transport/timestamps.ts';

/** An unbroken stretch of one source: one clock, one program, one set of parameter sets. */
export type Epoch = {
  readonly id: number;
  readonly sourceName: string;
  readonly codec: VideoCodec;
  readonly program: Program;
  readonly parameters: Uint8Array;
  readonly format: PictureFormat;
  /** Unix seconds of time stamp 0: the arrival of the first keyframe less its PTS */
  readonly wallZero: number;
  /** ticks that put its timestamps on one timeline with those of the epochs before, each after the other's end */
  readonly shift: number;
};

/** A group of pictures: from a keyframe to the next. Offsets are absolute bytes, times 90 kHz ticks of the epoch. */
export type Gop = {
  readonly epoch: Epoch;
  readonly start: number;
  /** PAT and PMT come first in it */
  readonly hasPsi: boolean;
  /** PES packets of other PIDs that `start` cuts in two */
  readonly headCuts: readonly Cut[];
  readonly firstPts: number;
  readonly firstDts: number;
  /** end of the last whole access unit seen, presentation time */
  lastPts: number;
  /** null while it is being recorded */
  closed: { readonly end: number; readonly endPts: number; readonly cuts: readonly Cut[] } | null;
};

export function wallAt(epoch: Epoch, pts: number): number {
  return epoch.wallZero + pts / TICKS_PER_SECOND;
}

/** PTS after the last whole picture of the group. */
export function endPts(gop: Gop): number {
  return gop.closed ? gop.closed.endPts : gop.lastPts;
}

/** The bytes of neighbouring groups that end at `end`, as `wholeRanges` takes them. */
export function spanOf(
  run: readonly Gop[],
  end: number,
): { from: number; headEnd: number; tailStart: number; to: number } {
  const [first, last] = [run[0], run.at(-1)];
  if (!first || !last) return { from: end, headEnd: end, tailStart: end, to: end };
  return {
    from: first.start,
    headEnd: first.closed && run.length > 1 ? first.closed.end : end,
    tailStart: last.start,
    to: end,
  };
}

export function gopTicks(gop: Gop): number {
  return endPts(gop) - gop.firstPts;
}

/**
 * The newest groups that together hold at least `seconds`, or all; an index into `gops` (its length when nothing was asked).
 * Cut at the keyframe at or before the asked point.
 */
export function firstOfLast(gops: readonly Gop[], seconds: number): number {
  const asked = seconds * TICKS_PER_SECOND;
  if (!(asked > 0)) return gops.length;
  let held = 0;
  for (let i = gops.length - 1; i >= 0; i -= 1) {
    const gop = gops[i];
    if (gop) held += gopTicks(gop);
    if (held >= asked) return i;
  }
  return 0;
}

/** Neighbouring groups of one epoch, oldest first. */
export function byEpoch(gops: readonly Gop[]): Gop[][] {
  const runs: Gop[][] = [];
  for (const gop of gops) {
    const run = runs.at(-1);
    if (run?.[0]?.epoch === gop.epoch) run.push(gop);
    else runs.push([gop]);
  }
  return runs;
}
