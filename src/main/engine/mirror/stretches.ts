import type { VideoCodec } from '../../../contract/index.ts';
import {
  PROGRAM,
  StreamIndexer,
  TIME_JUMP,
  UNIT_BEGINS,
  UNIT_ENDS,
  UNIT_KIND,
  type Boundary,
  type Unit,
} from '../transport/indexer.ts';
import { SYNC_BYTE, TS_PACKET_BYTES } from '../transport/packet.ts';
import type { Cut } from '../transport/pidState.ts';
import type { PictureFormat } from '../transport/sps.ts';
import { TICKS_PER_SECOND } from '../transport/timestamps.ts';

/** An unbroken stretch of a leftover, whole pictures at both ends. Offsets count over all its segments, times are Unix seconds. */
export type Stretch = {
  readonly codec: VideoCodec;
  readonly sourceName: string;
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
  readonly format: PictureFormat;
  readonly start: number;
  readonly end: number;
  /** PAT and PMT to be put in front; empty when they come first anyway */
  readonly psi: Uint8Array;
  /** PES packets of other PIDs that `start` and `end` cut in two */
  readonly headCuts: readonly Cut[];
  readonly tailCuts: readonly Cut[];
};

type OpenStretch = Pick<Stretch, 'codec' | 'format' | 'start' | 'psi' | 'headCuts'> & {
  parameters: Uint8Array;
  firstPts: number;
  keyPts: number;
  lastPts: number;
  wall: number;
};

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

/** Finds in packets read back what the ring would have held of them as whole pictures: its rules for epochs, without its memory. */
export class StretchFinder {
  readonly found: Stretch[] = [];
  readonly #indexer = new StreamIndexer();
  #open: OpenStretch | null = null;
  #head = 0;
  #source = '';
  /** arrival of the next packets, Unix seconds */
  wall = 0;

  /** What comes next does not follow from what came. */
  begin(source: string): void {
    this.finish();
    this.#indexer.reset();
    this.#source = source;
  }

  /** The packet at `p`, `offset` being its place in the leftover. Bytes that are no packet end the stretch. */
  packet(buf: Uint8Array, p: number, offset: number): void {
    this.#head = offset;
    if (buf[p] !== SYNC_BYTE) {
      this.begin(this.#source);
      return;
    }
    const indexer = this.#indexer;
    const facts = indexer.packet(buf, p, offset);
    if (facts & PROGRAM) {
      this.finish();
      indexer.adoptProgram();
    } else if (facts !== 0) {
      if (facts & UNIT_BEGINS) this.#ended(indexer.previous);
      if (facts & TIME_JUMP) this.finish();
      if (facts & UNIT_KIND) this.#kindKnown();
    }
    this.#head = offset + TS_PACKET_BYTES;
    if (facts & UNIT_ENDS) this.#ended(indexer.current);
  }

  /** Ends the stretch under way after its last whole picture. */
  finish(boundary: Boundary = this.#indexer.boundary(this.#head)): void {
    const open = this.#open;
    this.#open = null;
    if (!open || open.lastPts <= open.firstPts || boundary.end <= open.start) return;
    const { codec, format, start, psi, headCuts, firstPts, lastPts, wall } = open;
    const seconds = (lastPts - firstPts) / TICKS_PER_SECOND;
    this.found.push({
      ...{ codec, format, start, psi, headCuts, seconds, from: wall, to: wall + seconds },
      ...{ sourceName: this.#source, end: boundary.end, tailCuts: boundary.cuts },
    });
  }

  #ended(unit: Unit | null): void {
    const open = this.#open;
    if (open && unit?.whole) open.lastPts = Math.max(open.lastPts, unit.pts + this.#indexer.frameTicks);
  }

  #kindKnown(): void {
    const { current: unit, scanner, program } = this.#indexer;
    if (!unit || !program?.video || unit.kind !== 'key') return;
    if (!(scanner.hasSps && scanner.hasPps)) {
      unit.kind = 'other'; // no place to start decoding from
      return;
    }
    const open = this.#open;
    if (open && sameBytes(open.parameters, scanner.parameters) && unit.pts > open.keyPts) {
      open.keyPts = unit.pts;
      return;
    }
    const hasPsi = unit.psiStart >= 0;
    const start = hasPsi ? unit.psiStart : unit.start;
    const headCuts = this.#indexer.cutsAtUnit();
    this.finish({ end: start, cuts: headCuts });
    this.#open = {
      ...{ codec: program.video.codec, format: scanner.format(), parameters: scanner.parameters.slice() },
      ...{ start, headCuts, psi: hasPsi ? new Uint8Array(0) : program.psi, wall: this.wall },
      ...{ firstPts: unit.pts, keyPts: unit.pts, lastPts: unit.pts },
    };
  }
}
