import { TS_PACKET_BYTES, payloadUnitStarts, pidOf } from '../transport/packet.ts';
import type { Cut } from '../transport/pidState.ts';
import type { SlabStore } from './slabs.ts';

/** Bytes [from, to), absolute. */
export type Range = { readonly from: number; readonly to: number };

/** Calls `each` for every packet in [from, to) with its bytes until it answers false. */
export function eachPacket(
  store: SlabStore,
  from: number,
  to: number,
  each: (buf: Uint8Array, p: number, offset: number) => boolean,
): void {
  let offset = from;
  while (offset < to) {
    const view = store.view(offset, to);
    if (!view || view.length < TS_PACKET_BYTES) return;
    for (let p = 0; p + TS_PACKET_BYTES <= view.length; p += TS_PACKET_BYTES) {
      if (!each(view, p, offset + p)) return;
    }
    offset += view.length;
  }
}

/** [from, to) without the packets that `drop` names, as few ranges as possible. */
function without(
  store: SlabStore,
  from: number,
  to: number,
  drop: (buf: Uint8Array, p: number, offset: number) => boolean,
): Range[] {
  const ranges: Range[] = [];
  let keepFrom = from;
  eachPacket(store, from, to, (buf, p, offset) => {
    if (drop(buf, p, offset)) {
      if (offset > keepFrom) ranges.push({ from: keepFrom, to: offset });
      keepFrom = offset + TS_PACKET_BYTES;
    }
    return true;
  });
  if (to > keepFrom) ranges.push({ from: keepFrom, to });
  return ranges;
}

/**
 * The bytes of a run of groups with whole PES packets at both ends. `headEnd` bounds the search for the ends of PES packets begun
 * before the run, `tailStart` that for the beginnings of those unfinished at its end (usually there are none and nothing is read).
 */
export function wholeRanges(
  store: SlabStore,
  run: { from: number; headEnd: number; tailStart: number; to: number },
  headCuts: readonly Cut[],
  tailCuts: readonly Cut[],
): Range[] {
  const heads = new Set(headCuts.filter((cut) => cut.open).map((cut) => cut.pid));
  const tails = new Map(tailCuts.filter((cut) => cut.open).map((cut) => [cut.pid, cut.start]));
  const inHead = (buf: Uint8Array, p: number): boolean => {
    const pid = pidOf(buf, p);
    if (!heads.has(pid)) return false;
    if (!payloadUnitStarts(buf, p)) return true;
    heads.delete(pid);
    return false;
  };
  const inTail = (buf: Uint8Array, p: number, offset: number): boolean => {
    const start = tails.get(pidOf(buf, p));
    return start !== undefined && offset >= start;
  };
  if (heads.size === 0 && tails.size === 0) return [{ from: run.from, to: run.to }];
  if (run.headEnd >= run.tailStart) {
    return without(store, run.from, run.to, (buf, p, offset) => inHead(buf, p) || inTail(buf, p, offset));
  }
  const head = heads.size > 0 ? without(store, run.from, run.headEnd, inHead) : [{ from: run.from, to: run.headEnd }];
  const tail = tails.size > 0 ? without(store, run.tailStart, run.to, inTail) : [{ from: run.tailStart, to: run.to }];
  return [...head, { from: run.headEnd, to: run.tailStart }, ...tail];
}
