import type { Program } from '../transport/indexer.ts';
import { PAT_PID, SDT_PID, TS_PACKET_BYTES, payloadStart, payloadUnitStarts, pidOf } from '../transport/packet.ts';
import { emptyPesHeader, readPesHeader } from '../transport/pes.ts';
import { TICKS_PER_SECOND, ticksBetween } from '../transport/timestamps.ts';

/** What a reader's stream needs where it goes on from another place of the buffer than where it was. */

const WRAP = 2 ** 33;

/**
 * Room left between the pictures of one epoch and the next on the common timeline: sound may run over the last picture by part
 * of a PES packet, and begin before the first.
 */
export const EPOCH_GAP_TICKS = TICKS_PER_SECOND / 10;
/** How much earlier than the keyframe other streams may begin after a join. */
const LEAD_TICKS = EPOCH_GAP_TICKS / 2;
/** A PID that has not begun after this many packets is not waited for (3.8 MB). */
const MAX_JOIN_PACKETS = 20_000;

export const DROP = 0;
export const KEEP = 1;
/** Keep, with a `discontinuityPacket` in front. */
export const MARK = 2;

const header = emptyPesHeader();

/**
 * Says for each packet from a keyframe on what a reader must get that begins there: on every PID of the program nothing before the
 * start of a PES packet or section, nothing that belongs well before the keyframe, and, when the reader was elsewhere before, a mark
 * where the continuity counter jumps (ISO/IEC 13818-1 section 2.4.3.5, discontinuity_indicator).
 */
export class Join {
  readonly #unseen: Set<number>;
  readonly #others: ReadonlySet<number>;
  readonly #floor: number;
  readonly #tables: readonly number[];
  /** PIDs the reader has had packets of */
  readonly #known: Set<number>;
  #left = MAX_JOIN_PACKETS;

  /** `firstPts` is the keyframe's, in ticks, unwrapped or not. `fresh`: the reader has had nothing yet. */
  constructor(program: Program, firstPts: number, fresh: boolean) {
    const pids = program.streams.map((stream) => stream.pid);
    this.#tables = [PAT_PID, program.pmtPid];
    this.#others = new Set(pids.filter((pid) => pid !== program.video?.pid));
    this.#unseen = new Set([...this.#tables, SDT_PID, ...pids]);
    this.#known = new Set(fresh ? [] : this.#unseen);
    this.#floor = firstPts - LEAD_TICKS;
  }

  /** True once every PID has begun: from here on all packets are kept as they are. */
  get settled(): boolean {
    return this.#unseen.size === 0 || this.#left <= 0;
  }

  /** PAT and PMT were put in from elsewhere: the next ones jump. */
  expectTables(): void {
    for (const pid of this.#tables) this.#unseen.add(pid);
  }

  verdict(buf: Uint8Array, p: number): typeof DROP | typeof KEEP | typeof MARK {
    this.#left -= 1;
    const pid = pidOf(buf, p);
    if (!this.#unseen.has(pid)) return KEEP;
    if (!payloadUnitStarts(buf, p)) return DROP;
    if (this.#others.has(pid)) {
      const from = payloadStart(buf, p);
      if (from < 0 || !readPesHeader(buf, p + from, p + TS_PACKET_BYTES, header)) return DROP;
      if (header.pts >= 0 && ticksBetween(this.#floor, header.pts) < 0) return DROP;
    }
    this.#unseen.delete(pid);
    if (this.#known.has(pid)) return MARK;
    this.#known.add(pid);
    return KEEP;
  }
}

/**
 * Writes at `at` of `out` a packet without payload that announces a jump of the continuity counter on the PID of the packet at
 * `p`, such that this packet follows it without one (2.4.3.3: a packet without payload does not advance the counter).
 */
export function discontinuityPacket(out: Uint8Array, at: number, buf: Uint8Array, p: number): void {
  const control = buf[p + 3] ?? 0;
  const counter = ((control & 15) - ((control & 0x10) === 0 ? 0 : 1)) & 15;
  out[at] = 0x47;
  out[at + 1] = (buf[p + 1] ?? 0) & 0x1f;
  out[at + 2] = buf[p + 2] ?? 0;
  out[at + 3] = 0x20 | counter;
  out[at + 4] = TS_PACKET_BYTES - 5;
  out[at + 5] = 0x80;
  out.fill(0xff, at + 6, at + TS_PACKET_BYTES);
}

/** Adds `ticks` (90 kHz, may be negative) to PCR, OPCR, PTS and DTS of the packet at `p`, in place (2.4.3.5, 2.4.3.7). */
export function shiftTimes(buf: Uint8Array, p: number, ticks: number): void {
  const control = buf[p + 3] ?? 0;
  const length = (control & 0x20) === 0 ? 0 : (buf[p + 4] ?? 0);
  if (length > 183) return;
  if (length > 0) {
    const flags = buf[p + 5] ?? 0;
    const pcr = (flags & 0x10) === 0 ? 0 : 6;
    if (pcr > 0 && length >= 7) shiftClock(buf, p + 6, ticks);
    if ((flags & 0x08) !== 0 && length >= 7 + pcr) shiftClock(buf, p + 6 + pcr, ticks);
  }
  if (!payloadUnitStarts(buf, p)) return;
  const from = payloadStart(buf, p);
  if (from < 0 || from >= TS_PACKET_BYTES) return;
  const pes = p + from;
  if (!readPesHeader(buf, pes, p + TS_PACKET_BYTES, header) || header.pts < 0) return;
  shiftTimestamp(buf, pes + 9, header.pts, ticks);
  if ((buf[pes + 7] ?? 0) >> 6 === 3) shiftTimestamp(buf, pes + 14, header.dts, ticks);
}

function wrapped(ticks: number): number {
  return ((ticks % WRAP) + WRAP) % WRAP;
}

/** The 33-bit base of a clock reference at `p`; its extension stays. */
function shiftClock(buf: Uint8Array, p: number, ticks: number): void {
  const last = buf[p + 4] ?? 0;
  const high = ((buf[p] ?? 0) << 24) | ((buf[p + 1] ?? 0) << 16) | ((buf[p + 2] ?? 0) << 8) | (buf[p + 3] ?? 0);
  const base = wrapped((high >>> 0) * 2 + (last >> 7) + ticks);
  const top = Math.floor(base / 2);
  buf[p] = top >>> 24;
  buf[p + 1] = (top >>> 16) & 0xff;
  buf[p + 2] = (top >>> 8) & 0xff;
  buf[p + 3] = top & 0xff;
  buf[p + 4] = (last & 0x7f) | ((base % 2) << 7);
}

function shiftTimestamp(buf: Uint8Array, p: number, value: number, ticks: number): void {
  const shifted = wrapped(value + ticks);
  const high = Math.floor(shifted / 2 ** 30);
  const low = shifted % 2 ** 30;
  buf[p] = ((buf[p] ?? 0) & 0xf0) | (high << 1) | 1;
  buf[p + 1] = (low >> 22) & 0xff;
  buf[p + 2] = (((low >> 15) & 0x7f) << 1) | 1;
  buf[p + 3] = (low >> 7) & 0xff;
  buf[p + 4] = ((low & 0x7f) << 1) | 1;
}
