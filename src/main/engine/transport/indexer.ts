import type { VideoCodec } from '../../../contract/replay.ts';
import { NalScanner, type UnitKind } from './nal.ts';
import {
  NULL_PID,
  PAT_PID,
  SDT_PID,
  TS_PACKET_BYTES,
  carriesStuffing,
  payloadStart,
  payloadUnitStarts,
  pidOf,
} from './packet.ts';
import { emptyPesHeader, readPesHeader } from './pes.ts';
import { AFTER_LOSS, DUPLICATE, PidState, type Cut } from './pidState.ts';
import { SectionAssembler, parsePat, parsePmt, sectionPackets, type ElementaryStream } from './psi.ts';
import { TICKS_PER_SECOND, TimestampUnwrapper, ticksBetween } from './timestamps.ts';

/** Facts a packet can bring, as bits. `PROGRAM`: another program map; the caller settles the old one, then calls `adoptProgram`. */
export const PROGRAM = 1;
/** A video access unit begins with this packet (and the one before it ended). */
export const UNIT_BEGINS = 2;
/** Together with UNIT_BEGINS: its time does not follow from the one before. */
export const TIME_JUMP = 4;
/** `current.kind` became known. */
export const UNIT_KIND = 8;
/** The current access unit ends with this packet, by its told length. */
export const UNIT_ENDS = 16;
/** The same, concluded from stuffing: good enough for a preview, not for a cut. */
export const UNIT_ENDS_EARLY = 32;

/** Forward jump in DTS that opens a new epoch (docs: buffer contract). */
const MAX_STEP_TICKS = 2 * TICKS_PER_SECOND;

/** A PES packet that is not whole this far behind the newest byte is no reason to wait any longer. */
const MAX_HELD_BACK_BYTES = 256 * 1024;

/** No encoder shows a picture later than this after its decoding time, and none earlier; other PTS are damage. */
const MAX_DELAY_TICKS = 10 * TICKS_PER_SECOND;
const DEFAULT_FRAME_TICKS = TICKS_PER_SECOND / 30;

const NOTHING = 0;
const PAT = 1;
const PMT = 2;
const VIDEO = 3;
const OTHER = 4;

/** stream_type, ISO/IEC 13818-1 table 2-34. */
const VIDEO_TYPES = new Map<number, VideoCodec>([
  [0x1b, 'h264'],
  [0x24, 'hevc'],
]);

export type Program = {
  readonly pmtPid: number;
  readonly streams: readonly ElementaryStream[];
  readonly video: { readonly pid: number; readonly codec: VideoCodec } | null;
  /** PAT and PMT as whole transport packets */
  readonly psi: Uint8Array;
};

/** One video access unit. Offsets are absolute, times 90 kHz ticks on an unwrapped scale. */
export type Unit = {
  start: number;
  /** where PAT and PMT right before it begin, -1 when they are not there */
  psiStart: number;
  pts: number;
  dts: number;
  kind: UnitKind;
  whole: boolean;
  endedEarly: boolean;
  damaged: boolean;
  /** listeners were told of it (kept by the ring) */
  told: boolean;
};

/** The end of what is whole: everything before `end` except the packets of `cuts`. */
export type Boundary = { readonly end: number; readonly cuts: readonly Cut[] };

export type TransportCounters = {
  packets: number;
  /** packets flagged by transport_error_indicator or with an impossible adaptation field */
  badPackets: number;
  /** breaks of a continuity counter on a PID of the program */
  lostRuns: number;
  /** access units taken as ended by their stuffing although more came */
  earlyEndMisses: number;
};

/** True when the two announce the same elementary streams on the same PIDs. */
export function sameProgram(a: Program, b: Program): boolean {
  return (
    a.pmtPid === b.pmtPid &&
    a.streams.length === b.streams.length &&
    a.streams.every((s, i) => s.pid === b.streams[i]?.pid && s.type === b.streams[i].type)
  );
}

function emptyUnit(): Unit {
  return {
    start: 0,
    psiStart: -1,
    pts: 0,
    dts: 0,
    kind: 'unknown',
    whole: false,
    endedEarly: false,
    damaged: false,
    told: false,
  };
}

/**
 * Follows the first program of a transport stream, packet by packet, and says what each one means. Knows nothing of storage: the
 * caller hands in the absolute offset of every packet. Never throws; its memory does not depend on the input.
 */
export class StreamIndexer {
  readonly counters: TransportCounters = { packets: 0, badPackets: 0, lostRuns: 0, earlyEndMisses: 0 };
  readonly scanner = new NalScanner();
  program: Program | null = null;
  /** the access unit under way and the one before it; null until there is one */
  current: Unit | null = null;
  previous: Unit | null = null;
  /** the last step between two DTS, ticks; a guess until there was one */
  frameTicks = DEFAULT_FRAME_TICKS;

  readonly #roles = new Uint8Array(NULL_PID + 1);
  readonly #states = new Map<number, PidState>();
  readonly #clock = new TimestampUnwrapper();
  readonly #header = emptyPesHeader();
  readonly #units: [Unit, Unit] = [emptyUnit(), emptyUnit()];
  #pat = new SectionAssembler();
  #pmt = new SectionAssembler();
  #patSection: Uint8Array = new Uint8Array(0);
  #programNumber = -1;
  #pmtPid = -1;
  #next: Program | null = null;
  #video: PidState | null = null;
  #skip = 0;
  #pesOk = false;
  #trustStuffing = true;
  #psiStart = -1;
  #psiHasMap = false;
  #crcErrors = 0;

  constructor() {
    this.#roles[PAT_PID] = PAT;
  }

  /** PAT and PMT sections with a wrong CRC. */
  get crcErrors(): number {
    return this.#crcErrors + this.#pat.crcErrors + this.#pmt.crcErrors;
  }

  /** Another source or connection: nothing known of the stream holds any more. Counters stay. */
  reset(): void {
    this.#crcErrors = this.crcErrors;
    this.#pat = new SectionAssembler();
    this.#pmt = new SectionAssembler();
    this.#patSection = new Uint8Array(0);
    this.#programNumber = -1;
    this.#pmtPid = -1;
    this.#next = null;
    this.program = null;
    this.#applyProgram();
  }

  /** The program announced by the last PROGRAM fact is in force from here on. */
  adoptProgram(program: Program | null = this.#next): void {
    this.program = program;
    this.#next = null;
    if (program) this.#pmtPid = program.pmtPid;
    this.#applyProgram();
  }

  /** Storage from `offset` on was given back: what began there cannot be pointed at any more. */
  forget(offset: number): void {
    for (const state of this.#states.values()) state.forget(offset);
    this.#psiStart = -1;
  }

  /**
   * The end of what is whole, `head` being the offset after the last packet: at `head` when the newest access unit has ended, else
   * where it began.
   */
  boundary(head: number): Boundary {
    const unit = this.current;
    const cuts: Cut[] = [];
    const here = !unit || unit.whole;
    for (const state of this.#states.values()) {
      if (state === this.#video) continue;
      const cut = here ? state.cutHere() : state.cutAtBoundary();
      if (cut) cuts.push(cut);
    }
    return { end: here ? head : unit.start, cuts };
  }

  /**
   * How far bytes may be handed out to a reader that wants none of a PES packet unless it gets it whole, `head` being the offset
   * after the last packet. Never goes back. Only PES packets with a told length are waited for, and the video ones.
   */
  edge(head: number): number {
    const unit = this.current;
    let edge = !unit || unit.whole ? head : Math.min(head, unit.start);
    for (const state of this.#states.values()) {
      const start = state === this.#video ? -1 : state.unfinishedStart;
      if (start >= head - MAX_HELD_BACK_BYTES && start < edge && start >= 0) edge = start;
    }
    return edge;
  }

  /** What a cut right before the current access unit would leave unfinished. */
  cutsAtUnit(): readonly Cut[] {
    const cuts: Cut[] = [];
    for (const state of this.#states.values()) {
      const cut = state === this.#video ? null : state.cutAtBoundary();
      if (cut) cuts.push(cut);
    }
    return cuts;
  }

  /**
   * The input ended: the access unit under way is whole when its last packet says so, by a told length reached or by stuffing, and
   * nothing torn is pending. A sender that was killed in mid-picture ends its pipe just like one that has finished.
   */
  endInput(truncated: boolean): void {
    const unit = this.current;
    if (unit?.endedEarly === true && this.#video && !this.#video.lengthKnown && !truncated) unit.whole = true;
  }

  /** Takes the packet at `p`, stored at absolute `offset`. Answers the facts it brings, 0 for most packets. */
  packet(buf: Uint8Array, p: number, offset: number): number {
    this.counters.packets += 1;
    const pid = pidOf(buf, p);
    const role = this.#roles[pid] ?? NOTHING;
    if (role === NOTHING) {
      if (pid !== NULL_PID && pid !== SDT_PID) this.#psiStart = -1;
      return 0;
    }
    const from = payloadStart(buf, p);
    if (from < 0 || ((buf[p + 1] ?? 0) & 0x80) !== 0) {
      this.counters.badPackets += 1;
      this.#psiStart = -1;
      return 0;
    }
    if (from >= TS_PACKET_BYTES) return 0;
    if (role === VIDEO) return this.#videoPacket(buf, p, p + from, offset);
    if (role === PAT) return this.#patPacket(buf, p, p + from, offset);
    if (role === PMT) return this.#pmtPacket(buf, p, p + from);
    this.#psiStart = -1;
    const state = this.#states.get(pid);
    if (state) this.#otherPacket(state, buf, p, p + from, offset);
    return 0;
  }

  #otherPacket(state: PidState, buf: Uint8Array, p: number, from: number, offset: number): void {
    const follows = state.follow(buf, p);
    if (follows === DUPLICATE) return;
    if (follows === AFTER_LOSS) this.counters.lostRuns += 1;
    const end = p + TS_PACKET_BYTES;
    const starts = payloadUnitStarts(buf, p);
    if (starts) this.#beginPes(state, buf, from, end, offset);
    state.add(end - from, starts);
  }

  #beginPes(state: PidState, buf: Uint8Array, from: number, end: number, offset: number): boolean {
    const ok = readPesHeader(buf, from, end, this.#header);
    const told = ok && this.#header.packetLength > 0;
    state.begin(offset, told ? 6 + this.#header.packetLength : Number.POSITIVE_INFINITY);
    return ok;
  }

  #videoPacket(buf: Uint8Array, p: number, from: number, offset: number): number {
    const state = this.#video;
    const program = this.program;
    if (!state || !program?.video) return 0;
    const follows = state.follow(buf, p);
    if (follows === DUPLICATE) return 0;
    const end = p + TS_PACKET_BYTES;
    const starts = payloadUnitStarts(buf, p);
    let facts = 0;
    let data = from;
    if (starts) {
      this.#pesOk = this.#beginPes(state, buf, from, end, offset);
      facts = this.#beginUnit(offset);
      this.scanner.begin(program.video.codec);
      this.#skip = this.#header.headerLength;
    }
    this.#psiStart = -1;
    if (follows === AFTER_LOSS) {
      this.counters.lostRuns += 1;
      const damaged = starts ? this.previous : this.current;
      if (damaged) damaged.damaged = true;
    }
    const unit = this.current;
    if (!unit) return facts;
    state.add(end - from, starts);
    if (unit.endedEarly && !starts) {
      unit.endedEarly = false;
      this.#trustStuffing = false;
      this.counters.earlyEndMisses += 1;
    }
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, end - data);
      this.#skip -= skipped;
      data += skipped;
    }
    if (unit.kind === 'unknown') {
      unit.kind = this.#pesOk ? this.scanner.scan(buf, data, end) : 'other';
      if (unit.kind !== 'unknown') facts |= UNIT_KIND;
    }
    return facts | this.#unitEnd(unit, state, buf, p);
  }

  #unitEnd(unit: Unit, state: PidState, buf: Uint8Array, p: number): number {
    if (unit.whole) return 0;
    if (state.whole) {
      unit.whole = true;
      return UNIT_ENDS;
    }
    if (!state.lengthKnown && this.#trustStuffing && unit.kind !== 'unknown' && carriesStuffing(buf, p)) {
      unit.endedEarly = true;
      return UNIT_ENDS_EARLY;
    }
    return 0;
  }

  #beginUnit(offset: number): number {
    const before = this.current;
    const unit = before === this.#units[0] ? this.#units[1] : this.#units[0];
    let facts = UNIT_BEGINS;
    const { pts, dts } = this.#header;
    if (before) before.whole = true;
    if (!this.#pesOk || dts < 0) {
      // No timestamp of its own (2.7.4 allows it): it follows the one before by a frame.
      unit.dts = (before?.dts ?? 0) + this.frameTicks;
      unit.pts = unit.dts;
      if (Number.isNaN(this.#clock.last)) this.#pesOk = false;
      else this.#clock.unwrap(unit.dts);
    } else {
      const last = this.#clock.last;
      const step = Number.isNaN(last) ? 0 : ticksBetween(last, dts);
      if (before && (step < 0 || step > MAX_STEP_TICKS)) {
        facts |= TIME_JUMP;
        this.#clock.reset();
      } else if (step > 0) this.frameTicks = step;
      unit.dts = this.#clock.unwrap(dts);
      const delay = ticksBetween(dts, pts);
      unit.pts = unit.dts + (delay >= 0 && delay <= MAX_DELAY_TICKS ? delay : 0);
    }
    unit.start = offset;
    unit.psiStart = this.#psiHasMap ? this.#psiStart : -1;
    unit.kind = 'unknown';
    unit.whole = false;
    unit.endedEarly = false;
    unit.damaged = false;
    unit.told = false;
    this.previous = before;
    this.current = unit;
    for (const state of this.#states.values()) state.markBoundary();
    return facts;
  }

  #patPacket(buf: Uint8Array, p: number, from: number, offset: number): number {
    const starts = payloadUnitStarts(buf, p);
    if (starts && this.#psiStart < 0) {
      this.#psiStart = offset;
      this.#psiHasMap = false;
    }
    const section = this.#pat.push(buf, from, p + TS_PACKET_BYTES, starts);
    const entry = section && parsePat(section);
    if (!section || !entry) return 0;
    this.#patSection = Uint8Array.from(section);
    this.#programNumber = entry.program;
    if (entry.pmtPid === this.#pmtPid) return 0;
    this.#crcErrors += this.#pmt.crcErrors;
    this.#pmt = new SectionAssembler();
    this.#pmtPid = entry.pmtPid;
    this.#fillRoles();
    return 0;
  }

  #pmtPacket(buf: Uint8Array, p: number, from: number): number {
    const starts = payloadUnitStarts(buf, p);
    if (starts && this.#psiStart >= 0) this.#psiHasMap = true;
    const section = this.#pmt.push(buf, from, p + TS_PACKET_BYTES, starts);
    const map = section && parsePmt(section);
    if (!section || map?.program !== this.#programNumber) return 0;
    let video: Program['video'] = null;
    for (const stream of map.streams) {
      const codec = VIDEO_TYPES.get(stream.type);
      if (codec && !video) video = { pid: stream.pid, codec };
    }
    const found = { pmtPid: this.#pmtPid, streams: map.streams, video, psi: new Uint8Array(0) };
    if (this.program && sameProgram(this.program, found)) return 0;
    const pat = sectionPackets(this.#patSection, PAT_PID);
    const pmt = sectionPackets(section, this.#pmtPid);
    const psi = new Uint8Array(pat.length + pmt.length);
    psi.set(pat, 0);
    psi.set(pmt, pat.length);
    this.#next = { ...found, psi };
    return PROGRAM;
  }

  /** A new program: its PIDs are followed from scratch. */
  #applyProgram(): void {
    this.#states.clear();
    this.#video = null;
    this.current = null;
    this.previous = null;
    this.frameTicks = DEFAULT_FRAME_TICKS;
    this.#clock.reset();
    this.#skip = 0;
    this.#trustStuffing = true;
    this.#psiStart = -1;
    for (const stream of this.program?.streams ?? []) {
      const state = new PidState(stream.pid);
      this.#states.set(stream.pid, state);
      if (stream.pid === this.program?.video?.pid) this.#video = state;
    }
    this.#fillRoles();
  }

  #fillRoles(): void {
    this.#roles.fill(NOTHING);
    for (const state of this.#states.values()) this.#roles[state.pid] = state === this.#video ? VIDEO : OTHER;
    this.#roles[NULL_PID] = NOTHING;
    if (this.#pmtPid > 0) this.#roles[this.#pmtPid] = PMT;
    this.#roles[PAT_PID] = PAT;
  }
}
