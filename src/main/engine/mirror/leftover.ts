import { closeSync, openSync, readSync } from 'node:fs';
import { open, readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ReplaySnapshot } from '../clips/save.ts';
import { TS_PACKET_BYTES, payloadUnitStarts, pidOf } from '../transport/packet.ts';
import { marksName, parseMarks, segmentName, segmentNumber, type ArrivalMark } from './layout.ts';
import { StretchFinder, type Stretch } from './stretches.ts';

/** Parsing this much keeps the event loop for about two milliseconds. */
const PIECE_BYTES = 1394 * TS_PACKET_BYTES;

type SegmentFile = { file: string; number: number; base: number; size: number; marks: readonly ArrivalMark[] };

/** What a run of the studio that ended unexpectedly left in its folder. */
export type Leftover = { readonly folder: string; readonly snapshots: readonly ReplaySnapshot[] };

/**
 * Reads a run's folder through and finds the whole pictures in it, whatever is torn or missing. Nothing is changed.
 * Errors: the file system's; the reason of `signal`.
 */
export async function readLeftover(folder: string, signal: AbortSignal): Promise<Leftover> {
  const segments = await listSegments(folder);
  const finder = new StretchFinder();
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  let previous: SegmentFile | undefined;
  for (const segment of segments) {
    const [first] = segment.marks;
    const follows = previous !== undefined && segment.number === previous.number + 1 && first?.begins !== true;
    if (!follows) finder.begin(first?.source ?? previous?.marks[0]?.source ?? '');
    await scan(segment, finder, buffer, signal);
    previous = segment;
  }
  finder.finish();
  return { folder, snapshots: finder.found.map((stretch, index) => snapshotOf(stretch, index + 1, segments)) };
}

async function listSegments(folder: string): Promise<SegmentFile[]> {
  const numbers = (await readdir(folder)).flatMap((name) => segmentNumber(name) ?? []).sort((a, b) => a - b);
  const segments: SegmentFile[] = [];
  let base = 0;
  for (const number of numbers) {
    const file = path.join(folder, segmentName(number));
    const { size: found, mtimeMs } = await stat(file);
    const size = found - (found % TS_PACKET_BYTES);
    const marks = parseMarks(await readFile(path.join(folder, marksName(number)), 'utf8').catch(() => ''));
    // a lost file of times still has the segment's own
    segments.push({ file, number, base, size, marks: marks.length > 0 ? marks : [{ at: 0, wall: mtimeMs / 1000 }] });
    base += size;
  }
  return segments;
}

async function scan(
  { file, base, size, marks }: SegmentFile,
  finder: StretchFinder,
  buffer: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const handle = await open(file, 'r');
  let next = 0;
  try {
    for (let at = 0; at < size;) {
      signal.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, Math.min(PIECE_BYTES, size - at), at);
      const whole = bytesRead - (bytesRead % TS_PACKET_BYTES);
      if (whole === 0) return;
      for (let p = 0; p < whole; p += TS_PACKET_BYTES) {
        for (let mark = marks[next]; mark && mark.at <= at + p; mark = marks[++next]) finder.wall = mark.wall;
        finder.packet(buffer, p, base + at + p);
      }
      at += whole;
    }
  } finally {
    await handle.close();
  }
}

function snapshotOf(stretch: Stretch, epoch: number, segments: readonly SegmentFile[]): ReplaySnapshot {
  const { codec, sourceName, from, to, seconds, format, start, end, psi } = stretch;
  const { width, height } = format;
  return {
    ...{ epoch, codec, sourceName, from, to, seconds },
    bytes: psi.length + end - start,
    ...(width === undefined || height === undefined ? {} : { width, height }),
    chunks: () => readStretch(stretch, segments),
    release: () => undefined,
  };
}

/** The bytes of a stretch. Read at once, because savers take their chunks at once; 256 KiB of them is the most this waits for. */
function* readStretch(stretch: Stretch, segments: readonly SegmentFile[]): Generator<Uint8Array, void, undefined> {
  const { start, end, psi, headCuts, tailCuts } = stretch;
  const heads = new Set(headCuts.filter((cut) => cut.open).map((cut) => cut.pid));
  const tails = new Map(tailCuts.filter((cut) => cut.open).map((cut) => [cut.pid, cut.start]));
  if (psi.length > 0) yield psi;
  for (const { file, base, size } of segments) {
    if (base + size <= start || base >= end) continue;
    const stop = Math.min(size, end - base);
    const descriptor = openSync(file, 'r');
    try {
      for (let at = Math.max(0, start - base); at < stop;) {
        const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, stop - at));
        const got = readSync(descriptor, piece, 0, piece.length, at);
        const whole = got - (got % TS_PACKET_BYTES);
        if (whole === 0) throw new Error(`${file} is shorter than it was`);
        const kept = heads.size + tails.size > 0 ? withoutCuts(piece, whole, base + at, heads, tails) : whole;
        if (kept > 0) yield piece.subarray(0, kept);
        at += whole;
      }
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Closes up over the packets of PES packets that are not whole, in place. Answers the bytes kept. */
function withoutCuts(
  piece: Buffer,
  length: number,
  offset: number,
  heads: Set<number>,
  tails: ReadonlyMap<number, number>,
): number {
  let kept = 0;
  for (let p = 0; p < length; p += TS_PACKET_BYTES) {
    const pid = pidOf(piece, p);
    if (heads.has(pid)) {
      if (!payloadUnitStarts(piece, p)) continue;
      heads.delete(pid);
    }
    if (offset + p >= (tails.get(pid) ?? Number.POSITIVE_INFINITY)) continue;
    if (kept !== p) piece.copyWithin(kept, p, p + TS_PACKET_BYTES);
    kept += TS_PACKET_BYTES;
  }
  return kept;
}
