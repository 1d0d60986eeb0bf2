import type { ReplayStatus } from '../../../contract/replay.ts';
import { PacketAligner } from '../transport/align.ts';
import {
  PROGRAM,
  StreamIndexer,
  TIME_JUMP,
  UNIT_BEGINS,
  UNIT_ENDS,
  UNIT_ENDS_EARLY,
  UNIT_KIND,
  type Boundary,
  type Unit,
} from '../transport/indexer.ts';
import { TS_PACKET_BYTES } from '../transport/packet.ts';
import { TICKS_PER_SECOND } from '../transport/timestamps.ts';
import { UnitFeed, type AccessUnit } from './accessUnit.ts';
import { makeBody, type Body } from './body.ts';
import { RingCounters, problems, type RingProblem } from './counters.ts';
import { RingCursor, type CursorOptions } from './cursor.ts';
import { byEpoch, endPts, firstOfLast, gopTicks, wallAt, type Epoch, type Gop } from './gops.ts';
import { SlabStore } from './slabs.ts';
import { SnapshotShelf } from './shelf.ts';
import type { Snapshot } from './snapshot.ts';
import { EPOCH_GAP_TICKS } from './splice.ts';
import { ringStatus } from './status.ts';
import type { RingView } from './window.ts';

export type RingOptions = {
  /** hard bound of the memory for media, bytes */
  maxBytes: number;
  /** whole groups are dropped while the rest still holds this much, seconds */
  maxSeconds: number;
  /** memory comes in blocks of about this size; default 4 MiB, less for small bounds */
  slabBytes?: number;
  /** memory that slow readers may hold on to beyond `maxBytes`; default 64 MiB or a quarter of `maxBytes`, whichever is more */
  maxPinnedBytes?: number;
  /** Unix seconds */
  now?: () => number;
  onProblem?: (problem: RingProblem) => void;
};

/** What of the buffer: the newest seconds, a span in Unix seconds, or everything. */
export type Selection = { lastSeconds: number } | { from: number; to: number } | 'all';

const MIN_SLAB_PACKETS = 16;
const DEFAULT_SLAB_BYTES = 4 * 1024 * 1024;
const DEFAULT_PINNED_BYTES = 64 * 1024 * 1024;
/** An access unit that has not shown a slice within this much of the whole stream is not worth keeping. */
const MAX_CANDIDATE_BYTES = 1024 * 1024;
const NO_BYTES = new Uint8Array(0);

function pickSlabBytes(maxBytes: number, asked: number | undefined): number {
  const packets = Math.floor(Math.min(asked ?? DEFAULT_SLAB_BYTES, maxBytes / 16) / TS_PACKET_BYTES);
  return Math.max(MIN_SLAB_PACKETS, packets) * TS_PACKET_BYTES;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * The last minutes of an MPEG-TS stream in memory, indexed by group of pictures, within hard bounds of bytes and seconds.
 * One producer writes; any number of snapshots read. Nothing a reader or a listener does stops the producer.
 */
export class ReplayRing {
  readonly counters = new RingCounters();
  readonly #indexer = new StreamIndexer();
  readonly #aligner: PacketAligner;
  readonly #store: SlabStore;
  readonly #now: () => number;
  readonly #onProblem: (problem: RingProblem) => void;
  readonly #askedPinnedBytes: number | undefined;
  readonly #feed: UnitFeed;
  readonly #shelf: SnapshotShelf;
  readonly #gops: Gop[] = [];
  #maxBytes: number;
  #maxSeconds: number;
  #sourceName = '';
  #nextEpochId = 1;
  #epoch: Epoch | null = null;
  /** the group being recorded, the last of #gops */
  #open: Gop | null = null;
  #closedTicks = 0;
  /** packets go into the ring: a group is open, or the access unit under way may turn out to be a keyframe */
  #storing = false;
  /** offset after the last byte stored */
  #head = 0;
  /** where storing goes on when the access unit under way is no keyframe */
  #resumeAt = 0;
  /** present chunk, and where in it the packets begin that are indexed but not yet copied */
  #chunk: Uint8Array = NO_BYTES;
  #runFrom = 0;
  #totalBytes = 0;
  #newestKeyframeAt: number | null = null;
  /** where the last closed epoch ended on the common timeline, ticks; null before the first */
  #timelineEnd: number | null = null;
  #ended = false;
  readonly #changed = new Set<() => void>();
  readonly #view: RingView;

  constructor(options: RingOptions) {
    this.#maxBytes = options.maxBytes;
    this.#maxSeconds = options.maxSeconds;
    this.#askedPinnedBytes = options.maxPinnedBytes;
    this.#now = options.now ?? (() => Date.now() / 1000);
    this.#onProblem = options.onProblem ?? (() => undefined);
    const slabBytes = pickSlabBytes(options.maxBytes, options.slabBytes);
    this.#store = new SlabStore(slabBytes, this.#capacityFor(options.maxBytes, slabBytes), () => this.#limitReaders());
    this.#shelf = new SnapshotShelf(this.#store, () => {
      this.counters.readersCut += 1;
      this.#report(problems.readerCut());
    });
    this.#feed = new UnitFeed(this.#store, (cause) => {
      this.counters.listenerErrors += 1;
      this.#report(problems.listener(cause));
    });
    this.#aligner = new PacketAligner((buf, from, count) => this.#packets(buf, from, count));
    this.counters.observe(this.#indexer, this.#aligner);
    this.#view = {
      store: this.#store,
      shelf: this.#shelf,
      gops: this.#gops,
      tail: () => this.#tail(),
      edge: () => this.#indexer.edge(this.#head),
      boundary: () => this.#indexer.boundary(this.#head),
      changed: this.#changed,
    };
  }

  /** Bytes ever taken in; its growth is the bitrate. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Absolute offset of the oldest byte held, and of the next one when nothing is. */
  get oldestOffset(): number {
    return this.#tail();
  }

  /** Unix seconds at which the newest keyframe arrived; null before the first. */
  get newestKeyframeAt(): number | null {
    return this.#newestKeyframeAt;
  }

  /** Memory allocated for media now, slow readers' share included, bytes. */
  get allocatedBytes(): number {
    return this.#store.allocatedBytes;
  }

  /** The next bytes come from another source or connection. What was held stays. */
  beginEpoch({ sourceName }: { sourceName: string }): void {
    this.#break();
    this.#aligner.reset();
    this.#indexer.reset();
    this.#sourceName = sourceName;
    this.#ended = false;
  }

  /** Takes in bytes cut anywhere. Never throws. */
  write(chunk: Uint8Array): void {
    if (this.#ended) this.beginEpoch({ sourceName: this.#sourceName });
    this.#totalBytes += chunk.length;
    this.#aligner.push(chunk);
    this.#tellReaders();
  }

  /** The input ended: what is under way counts as complete unless it is visibly cut off. */
  endInput(): void {
    if (this.#ended) return;
    this.#indexer.endInput(this.#aligner.pendingBytes > 0);
    const unit = this.#indexer.current;
    if (unit?.whole) this.#unitDone(unit, this.#head);
    this.#break();
    this.#ended = true;
    this.#tellReaders();
  }

  /** Drops everything held. Recording goes on at the next keyframe. */
  clear(): void {
    this.#break();
    while (this.#evictOldest());
    this.#tellReaders();
  }

  /** Drops the groups of pictures that end at or before `at`, Unix seconds. The one being recorded stays. */
  dropBefore(at: number): void {
    for (;;) {
      const oldest = this.#gops[0];
      // half a millisecond: times of one picture, counted on two ways, are one
      if (!oldest?.closed || wallAt(oldest.epoch, endPts(oldest)) > at + 0.0005 || !this.#evictOldest()) break;
    }
    this.#tellReaders();
  }

  /** New bounds; keeps what fits them. */
  resize({ maxBytes, maxSeconds }: { maxBytes: number; maxSeconds: number }): void {
    this.#maxBytes = maxBytes;
    this.#maxSeconds = maxSeconds;
    this.#store.setCapacity(this.#capacityFor(maxBytes, this.#store.slabBytes));
    while (this.#store.overCapacity && this.#evictOldest());
    if (this.#store.overCapacity) this.#overflow();
    this.#store.freeBelow(this.#tail());
    this.#store.trim();
    this.#boundSeconds();
    this.#limitReaders();
  }

  status(): ReplayStatus {
    const bounds = { maxBytes: this.#maxBytes, maxSeconds: this.#maxSeconds };
    return ringStatus(this.#gops, { head: this.#head, live: this.#open !== null }, bounds);
  }

  /**
   * What is held of the selection as whole pictures, one snapshot per epoch, oldest first; empty when nothing is. `lastSeconds` counts
   * media time back over epochs and begins at the keyframe at or before the asked point; a span begins at the keyframe at or before
   * `from` and ends with the first picture at or after `to`. No payload is copied. Each must be released.
   */
  snapshot(selection: Selection): Snapshot[] {
    const held = this.#wholeGops();
    if (selection === 'all') return this.#take(held);
    if ('lastSeconds' in selection) return this.#take(held.slice(firstOfLast(held, selection.lastSeconds)));
    const { from, to } = selection;
    const chosen = held.filter((gop) => wallAt(gop.epoch, endPts(gop)) > from && wallAt(gop.epoch, gop.firstPts) < to);
    return this.#take(chosen, to);
  }

  /**
   * The newest seconds, or everything, as one body of fixed bytes over all epochs of the newest one's layout; null when nothing is
   * held. It holds no memory: what the ring moves on from is gone from it.
   */
  body(selection: { lastSeconds: number } | 'all'): Body | null {
    const held = this.#wholeGops();
    return makeBody(this.#view, selection === 'all' ? held : held.slice(firstOfLast(held, selection.lastSeconds)));
  }

  /** A reader that goes on with what comes. Must be closed. */
  openCursor(options: CursorOptions): RingCursor {
    return new RingCursor(this.#view, options);
  }

  /**
   * Tells every video access unit as early as it is known to be complete (from the first keyframe on). The listener runs inside
   * `write` and must be quick; what it throws is counted and reported. Answers the way to stop it.
   */
  onAccessUnit(listener: (unit: AccessUnit) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  #capacityFor(maxBytes: number, slabBytes: number): number {
    return Math.max(1, Math.floor(maxBytes / slabBytes));
  }

  #packets(buf: Uint8Array, from: number, count: number): void {
    this.#chunk = buf;
    this.#runFrom = from;
    const end = from + count * TS_PACKET_BYTES;
    for (let p = from; p < end; p += TS_PACKET_BYTES) {
      if (!this.#storing) this.#runFrom = p;
      const facts = this.#indexer.packet(buf, p, this.#head + p - this.#runFrom);
      if (facts & (PROGRAM | UNIT_BEGINS | UNIT_KIND)) this.#settle(facts, p);
      if (!this.#storing) continue;
      const at = this.#head + p - this.#runFrom;
      if (!this.#store.has(at) && !this.#makeRoom(p)) continue;
      if (facts & (UNIT_ENDS | UNIT_ENDS_EARLY)) {
        this.#flush(p + TS_PACKET_BYTES);
        const unit = this.#indexer.current;
        if (unit) this.#unitDone(unit, this.#head);
      }
    }
    if (this.#storing) this.#flush(end);
    this.#chunk = NO_BYTES;
  }

  /** Copies the indexed packets before `p` of the chunk into the ring. */
  #flush(p: number): void {
    while (this.#runFrom < p) {
      const room = this.#store.slabBytes - (this.#head % this.#store.slabBytes);
      const to = Math.min(p, this.#runFrom + room);
      this.#store.copyIn(this.#head, this.#chunk.subarray(this.#runFrom, to));
      this.#head += to - this.#runFrom;
      this.#runFrom = to;
    }
  }

  /** Acts on the facts that come before the packet at `p` is stored. */
  #settle(facts: number, p: number): void {
    if (this.#storing) this.#flush(p);
    this.#runFrom = p;
    if (facts & PROGRAM) {
      this.#break();
      this.#indexer.adoptProgram();
      if (this.#indexer.program?.video === null) this.#report(problems.unsupported());
      return;
    }
    if (facts & UNIT_BEGINS) {
      const before = this.#indexer.previous;
      if (before) this.#unitDone(before, this.#head);
      if (facts & TIME_JUMP) this.#break();
      if (!this.#open) this.#tryKeyframe();
    }
    if (facts & UNIT_KIND) this.#kindKnown();
  }

  /** No group is open: stores the access unit that begins, for it may be a keyframe. */
  #tryKeyframe(): void {
    this.#rewind(this.#resumeAt);
    this.#storing = true;
    const unit = this.#indexer.current;
    if (!unit) return;
    unit.start = this.#head;
    unit.psiStart = -1;
  }

  #kindKnown(): void {
    const { current: unit, scanner, program } = this.#indexer;
    if (!unit || !program?.video) return;
    if (unit.kind === 'key' && !(scanner.hasSps && scanner.hasPps)) {
      // Not a place to start decoding from.
      this.counters.bareKeyframes += 1;
      unit.kind = 'other';
    }
    if (unit.kind !== 'key') {
      if (!this.#open && this.#storing) {
        this.#storing = false;
        this.#rewind(this.#resumeAt);
      }
      return;
    }
    // Cleared in the middle of this access unit: its beginning is gone.
    if (!this.#open && !this.#storing) return;
    const at = this.#now();
    this.#newestKeyframeAt = at;
    const start = unit.psiStart >= 0 ? unit.psiStart : unit.start;
    const cuts = this.#indexer.cutsAtUnit();
    const sameEpoch =
      this.#epoch !== null &&
      sameBytes(this.#epoch.parameters, scanner.parameters) &&
      // Keyframes that do not follow each other in time are a jump too.
      !(this.#open && unit.pts <= this.#open.firstPts);
    if (this.#open) this.#close({ end: start, cuts }, sameEpoch ? unit.pts : this.#open.lastPts);
    if (!this.#epoch || !sameEpoch) {
      this.#epoch = {
        id: this.#nextEpochId,
        sourceName: this.#sourceName,
        codec: program.video.codec,
        program,
        parameters: scanner.parameters.slice(),
        format: scanner.format(),
        wallZero: at - unit.pts / TICKS_PER_SECOND,
        shift: this.#timelineEnd === null ? 0 : this.#timelineEnd + EPOCH_GAP_TICKS - unit.dts,
      };
      this.#nextEpochId += 1;
    }
    this.#open = {
      epoch: this.#epoch,
      start,
      hasPsi: unit.psiStart >= 0,
      headCuts: cuts,
      firstPts: unit.pts,
      firstDts: unit.dts,
      lastPts: unit.pts,
      closed: null,
    };
    this.#gops.push(this.#open);
    this.#boundSeconds();
  }

  /** A unit of the open group is complete (again, when it was told early): counts it and tells the listeners, once. */
  #unitDone(unit: Unit, end: number): void {
    const open = this.#open;
    if (!open) return;
    if (unit.whole) {
      open.lastPts = Math.max(open.lastPts, unit.pts + this.#indexer.frameTicks);
      this.#boundSeconds();
    }
    if (unit.told) return;
    unit.told = true;
    if (this.#open !== open || unit.damaged) return;
    const start = unit.start;
    const held = (): boolean => start >= this.#tail() && end <= (open.closed ? open.closed.end : this.#head);
    this.#feed.tell(unit, end, open.epoch, held);
  }

  /** Ends the present epoch after its last whole picture; the next keyframe begins another. */
  #break(): void {
    if (this.#open) this.#close(this.#indexer.boundary(this.#head), this.#open.lastPts);
    this.#epoch = null;
    this.#storing = false;
    this.#rewind(this.#resumeAt);
  }

  #close(boundary: Boundary, pts: number): void {
    const open = this.#open;
    if (!open) return;
    this.#open = null;
    if (open.lastPts === open.firstPts) {
      // Not even its keyframe is whole.
      this.#gops.pop();
      this.#resumeAt = open.start;
      return;
    }
    // The next keyframe ends the last picture, whatever the frame interval was taken for.
    open.lastPts = Math.min(open.lastPts, pts);
    open.closed = { end: boundary.end, endPts: pts, cuts: boundary.cuts };
    this.#resumeAt = boundary.end;
    this.#closedTicks += gopTicks(open);
    this.#extendTimeline(open);
  }

  /** Takes back what was stored from `offset` on; it was never part of a group. */
  #rewind(offset: number): void {
    if (offset === this.#head) return;
    this.#head = offset;
    this.#indexer.forget(offset);
  }

  /** Room for the packet at `p`, whose place is the first of a slab that is not there yet; false when it had to be given up. */
  #makeRoom(p: number): boolean {
    this.#flush(p);
    if (!this.#open && this.#head - this.#resumeAt > Math.min(MAX_CANDIDATE_BYTES, this.#maxBytes / 4)) {
      this.#storing = false;
      this.#rewind(this.#resumeAt);
      return false;
    }
    for (;;) {
      if (this.#store.extend(this.#head)) return true;
      if (!this.#evictOldest()) break;
    }
    this.#overflow();
    this.#runFrom = p + TS_PACKET_BYTES;
    return false;
  }

  /** Drops the oldest group unless it is the one being recorded. */
  #evictOldest(): boolean {
    const oldest = this.#gops[0];
    if (!oldest || oldest === this.#open) return false;
    this.#gops.shift();
    this.#closedTicks = this.#gops.length === 0 ? 0 : this.#closedTicks - gopTicks(oldest);
    this.#store.freeBelow(this.#tail());
    return true;
  }

  /** The group being recorded is larger than the ring: it cannot be kept. */
  #overflow(): void {
    const open = this.#open;
    this.#open = null;
    this.#epoch = null;
    this.#storing = false;
    this.counters.overflows += 1;
    if (open) {
      this.#gops.pop();
      this.#extendTimeline(open);
    }
    // What is dropped ends here; no reader's bytes may be written again, so storing goes on after it.
    this.#resumeAt = this.#head;
    this.#store.freeBelow(this.#tail());
    this.#report(problems.overflow(open ? gopTicks(open) / TICKS_PER_SECOND : 0));
  }

  #boundSeconds(): void {
    for (;;) {
      const oldest = this.#gops[0];
      if (!oldest || oldest === this.#open) break;
      const rest = this.#closedTicks - gopTicks(oldest) + (this.#open ? gopTicks(this.#open) : 0);
      if (rest < this.#maxSeconds * TICKS_PER_SECOND) break;
      this.#evictOldest();
    }
    if (this.#open && gopTicks(this.#open) > this.#maxSeconds * TICKS_PER_SECOND) this.#overflow();
  }

  #extendTimeline(gop: Gop): void {
    const end = gop.epoch.shift + Math.max(gop.lastPts, endPts(gop));
    this.#timelineEnd = Math.max(end, this.#timelineEnd ?? end);
  }

  /** A group without a single whole picture yet is left out. */
  #wholeGops(): Gop[] {
    return this.#gops.filter((gop) => gop.closed !== null || gop.lastPts > gop.firstPts);
  }

  #tellReaders(): void {
    for (const tell of this.#changed) tell();
  }

  #tail(): number {
    return this.#gops[0]?.start ?? this.#resumeAt;
  }

  #take(gops: readonly Gop[], until = Number.POSITIVE_INFINITY): Snapshot[] {
    const snapshots: Snapshot[] = [];
    for (const run of byEpoch(gops)) {
      const tail = run.at(-1)?.closed ?? this.#indexer.boundary(this.#head);
      const snapshot = this.#shelf.take(run, tail, until);
      if (snapshot) snapshots.push(snapshot);
    }
    return snapshots;
  }

  #limitReaders(): void {
    this.#shelf.limit(this.#askedPinnedBytes ?? Math.max(DEFAULT_PINNED_BYTES, this.#maxBytes / 4));
  }

  #report(problem: RingProblem): void {
    try {
      this.#onProblem(problem);
    } catch {
      this.counters.listenerErrors += 1;
    }
  }
}
