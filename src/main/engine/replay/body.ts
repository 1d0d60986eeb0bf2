import { StudioError } from '../../../contract/errors.ts';
import { sameProgram, type Boundary } from '../transport/indexer.ts';
import { TS_PACKET_BYTES, pidOf } from '../transport/packet.ts';
import { TICKS_PER_SECOND } from '../transport/timestamps.ts';
import { byEpoch, gopTicks, spanOf, type Gop } from './gops.ts';
import { eachPacket, wholeRanges, type Range } from './ranges.ts';
import { DROP, Join, KEEP, MARK, discontinuityPacket, shiftTimes } from './splice.ts';
import { READER_PINNED_BYTES, Window, type RingView } from './window.ts';

const CHUNK_BYTES = 1394 * TS_PACKET_BYTES;

/** A part of a body: bytes of its own, or bytes of the ring with their timestamps shifted. */
type Part = { readonly at: number; readonly length: number } & (
  { readonly bytes: Uint8Array } | { readonly bytes: null; readonly from: number; readonly shift: number }
);

/**
 * What the ring held at one moment as one stream of `size` bytes, whole pictures at both ends. Its bytes never change; they can be
 * read from anywhere, again and by any number of readers, as long as the ring holds them. It keeps none of the ring's memory.
 *
 * Epochs after the first are joined as `RingCursor` joins them. Packets of pictures or sounds that are not whole are left out, so an
 * offset in the body is not an offset in the ring; `from` and `to` are the ring's absolute offsets it was made from.
 */
export class Body {
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly seconds: number;
  readonly #ring: RingView;
  readonly #parts: readonly Part[];

  constructor(ring: RingView, parts: readonly Part[], facts: { from: number; to: number; seconds: number }) {
    this.#ring = ring;
    this.#parts = parts;
    this.from = facts.from;
    this.to = facts.to;
    this.seconds = facts.seconds;
    this.size = parts.reduce((sum, part) => sum + part.length, 0);
  }

  /** True while the byte at `offset` of the body is held. */
  holds(offset: number): boolean {
    const part = this.#parts[this.#partAt(offset)];
    // What is not of the ring goes with what comes after it.
    const next = part?.bytes ? this.#parts.find((later) => later.at > offset && !later.bytes) : part;
    if (!next || next.bytes) return false;
    return next.from + Math.max(0, offset - next.at) >= this.#ring.tail();
  }

  /** True while any of it is held. */
  get alive(): boolean {
    return this.to > this.#ring.tail();
  }

  /**
   * Reads the bytes [from, to) of the body: each chunk is valid until the next one is asked for or the reader returned.
   * What comes next is held, up to `maxPinnedBytes`, from the first chunk on. Errors: `StudioError` `range-not-held` when the ring
   * moved on from bytes beyond that.
   */
  *read(from: number, to: number, maxPinnedBytes = READER_PINNED_BYTES): Generator<Uint8Array, void, undefined> {
    const window = new Window(this.#ring, maxPinnedBytes);
    let scratch: Uint8Array | null = null;
    try {
      const first = this.#parts.find((part) => !part.bytes && part.at + part.length > from);
      if (first?.bytes === null) {
        const start = first.from + Math.max(0, from - first.at);
        window.view(start - (start % TS_PACKET_BYTES), start + 1, this.to);
      }
      for (let at = from; at < to;) {
        const part = this.#parts[this.#partAt(at)];
        if (!part) return;
        const until = Math.min(to, part.at + part.length);
        if (part.bytes) {
          yield part.bytes.subarray(at - part.at, until - part.at);
          at = until;
          continue;
        }
        // Whole packets, so that timestamps can be shifted; the asked bytes of them are handed out.
        const inside = (at - part.at) % TS_PACKET_BYTES;
        const start = part.from + at - part.at - inside;
        const end = part.from + Math.min(until - part.at, at - part.at + CHUNK_BYTES - inside);
        let view = window.view(start, end, this.to);
        if (!view) throw gone();
        if (part.shift !== 0) {
          const whole = Math.min(end + TS_PACKET_BYTES - 1, part.from + part.length);
          view = window.view(start, whole, this.to) ?? view;
          scratch ??= new Uint8Array(CHUNK_BYTES + TS_PACKET_BYTES);
          scratch.set(view);
          for (let p = 0; p + TS_PACKET_BYTES <= view.length; p += TS_PACKET_BYTES) shiftTimes(scratch, p, part.shift);
          view = scratch.subarray(0, Math.min(view.length, end - start));
        }
        yield view.subarray(inside);
        at += view.length - inside;
      }
    } finally {
      window.end('released');
    }
  }

  /** Index of the part that holds the byte at `offset`. */
  #partAt(offset: number): number {
    let [low, high] = [0, this.#parts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const part = this.#parts[middle];
      if (part && part.at + part.length <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function gone(): StudioError {
  return new StudioError(
    'range-not-held',
    'This part of the replay has left the buffer.',
    'Open /video again for what is held now.',
  );
}

/** The newest of these neighbouring groups that share the layout of the last one, as a body; null of none. */
export function makeBody(ring: RingView, gops: readonly Gop[]): Body | null {
  const last = gops.at(-1);
  if (!last) return null;
  const other = gops.findLastIndex((gop) => !sameProgram(gop.epoch.program, last.epoch.program));
  const runs = byEpoch(gops.slice(other + 1));
  const base = runs[0]?.[0]?.epoch.shift ?? 0;
  const parts: Part[] = [];
  let at = 0;
  let [from, to, ticks] = [-1, 0, 0];
  const addBytes = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return;
    parts.push({ at, length: bytes.length, bytes });
    at += bytes.length;
  };
  const addRange = ({ from: start, to: end }: Range, shift: number): void => {
    if (end <= start) return;
    parts.push({ at, length: end - start, bytes: null, from: start, shift });
    at += end - start;
  };
  for (const run of runs) {
    const first = run[0];
    const tail = run.at(-1)?.closed ?? ring.boundary();
    if (!first || tail.end <= first.start) continue;
    const { epoch } = first;
    const shift = epoch.shift - base;
    const psi = first.hasPsi ? new Uint8Array(0) : epoch.program.psi;
    const span = spanOf(run, tail.end);
    const join = new Join(epoch.program, first.firstPts, from < 0);
    if (from < 0) from = first.start;
    if (psi.length > 0) {
      addBytes(marked(psi, join));
      join.expectTables();
    }
    const settled = addJoin(ring, span.from, { end: span.to, cuts: tail.cuts }, join, {
      bytes: addBytes,
      range: (r) => addRange(r, shift),
    });
    const rest = { from: settled, headEnd: settled, tailStart: Math.max(settled, span.tailStart), to: span.to };
    for (const range of wholeRanges(ring.store, rest, [], tail.cuts)) addRange(range, shift);
    to = tail.end;
    ticks += run.reduce((sum, gop) => sum + gopTicks(gop), 0);
  }
  return at === 0 ? null : new Body(ring, parts, { from, to, seconds: ticks / TICKS_PER_SECOND });
}

/** PAT and PMT of our own, with the marks they need. */
function marked(psi: Uint8Array, join: Join): Uint8Array {
  const out: Uint8Array[] = [];
  for (let p = 0; p < psi.length; p += TS_PACKET_BYTES) {
    if (join.verdict(psi, p) === MARK) out.push(markFor(psi, p));
    out.push(psi.subarray(p, p + TS_PACKET_BYTES));
  }
  return Buffer.concat(out);
}

function markFor(buf: Uint8Array, p: number): Uint8Array {
  const mark = new Uint8Array(TS_PACKET_BYTES);
  discontinuityPacket(mark, 0, buf, p);
  return mark;
}

/** Adds the packets from `from` on until every PID has begun, at most those before the boundary; answers where it stopped. */
function addJoin(
  ring: RingView,
  from: number,
  { end, cuts }: Boundary,
  join: Join,
  add: { bytes: (bytes: Uint8Array) => void; range: (range: Range) => void },
): number {
  const tails = new Map(cuts.filter((cut) => cut.open).map((cut) => [cut.pid, cut.start]));
  let kept = from;
  let settled = end;
  eachPacket(ring.store, from, end, (buf, p, offset) => {
    if (join.settled) {
      settled = offset;
      return false;
    }
    const unfinished = offset >= (tails.get(pidOf(buf, p)) ?? Number.POSITIVE_INFINITY);
    const verdict = unfinished ? DROP : join.verdict(buf, p);
    if (verdict === KEEP) return true;
    add.range({ from: kept, to: offset });
    if (verdict === DROP) kept = offset + TS_PACKET_BYTES;
    else {
      add.bytes(markFor(buf, p));
      kept = offset;
    }
    return true;
  });
  add.range({ from: kept, to: settled });
  return settled;
}
