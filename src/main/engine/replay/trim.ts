import { StreamIndexer, UNIT_BEGINS, type Boundary } from '../transport/indexer.ts';
import type { Gop } from './gops.ts';
import { eachPacket } from './ranges.ts';
import type { SlabStore } from './slabs.ts';

/**
 * Where to end a group so that every picture shown before `untilPts` (ticks of the epoch) is in and no picture decoded at or after it is:
 * reads the packets of this one group again. Null when all of it is wanted. `tail` is the group's whole part.
 */
export function trimEnd(
  store: SlabStore,
  gop: Gop,
  tail: Boundary,
  untilPts: number,
): (Boundary & { pts: number }) | null {
  const indexer = new StreamIndexer();
  indexer.adoptProgram(gop.epoch.program);
  let zero = Number.NaN;
  let lastPts = gop.firstPts;
  let end = -1;
  let cuts: Boundary['cuts'] = [];
  eachPacket(store, gop.start, tail.end, (buf, p, offset) => {
    const facts = indexer.packet(buf, p, offset);
    if ((facts & UNIT_BEGINS) === 0) return true;
    const unit = indexer.current;
    if (!unit) return true;
    if (end >= 0) return false;
    // The group's first unit is its keyframe: that ties this pass's clock to the epoch's.
    if (Number.isNaN(zero)) zero = unit.dts - gop.firstDts;
    if (unit.dts - zero >= untilPts) {
      end = offset;
      // Taken now and settled by the packets up to the next unit.
      cuts = indexer.cutsAtUnit();
    } else lastPts = Math.max(lastPts, unit.pts - zero + indexer.frameTicks);
    return true;
  });
  return end > gop.start ? { end, cuts, pts: lastPts } : null;
}
