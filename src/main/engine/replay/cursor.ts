import { TS_PACKET_BYTES, payloadUnitStarts, pidOf } from '../transport/packet.ts';
import { sameProgram, type Boundary } from '../transport/indexer.ts';
import { wallAt, type Epoch, type Gop } from './gops.ts';
import { DROP, Join, MARK, discontinuityPacket, shiftTimes } from './splice.ts';
import { READER_PINNED_BYTES, Window, type RingView } from './window.ts';

export type CursorOptions = {
  /** the oldest keyframe, the newest, or the one at or before a time in Unix seconds (the oldest when that has left) */
  start: 'oldest' | 'newest' | { at: number };
  /** where it goes on when it was too slow and what comes next has left the buffer; default `oldest` */
  whenLate?: 'oldest' | 'newest';
  /** bytes it may be behind before it counts as too slow although all is still held; default no bound */
  maxBehindBytes?: number;
  /** memory it may keep beyond the ring's own, bytes; default 16 MB */
  maxPinnedBytes?: number;
  /** ends the stream also where the parameter sets change: for readers that take them from its beginning only */
  sameParameters?: boolean;
};

/** Largest piece handed out. */
const CHUNK_BYTES = 1394 * TS_PACKET_BYTES;
const NO_CUTS: ReadonlyMap<number, number> = new Map();

/**
 * Reads the ring from a keyframe on, then what comes, without end: whole pictures, in order, as one stream.
 *
 * Once every PID has begun it hands out views into the ring. A jump is a new epoch, or being moved because it was too slow; it begins
 * with PAT and PMT and a keyframe, and every PID's break of the continuity counter is announced by a packet with
 * discontinuity_indicator. Timestamps of later epochs are shifted, in a copy, onto the timeline of the first one read, so that they
 * go on where the epoch before ended: players follow that, and none of those tried follows a jump back. Being moved leaves a gap.
 * The stream ends where the codec or the layout of the program changes, which no player follows.
 */
export class RingCursor {
  readonly #ring: RingView;
  readonly #options: CursorOptions;
  #window: Window;
  #epoch: Epoch | null = null;
  #pos = 0;
  /** how far the epoch could be read when it was last seen in the ring */
  #knownEnd = 0;
  /** shift of the first epoch read */
  #base = 0;
  #join: Join | null = null;
  /** PAT and PMT to be handed out before `#pos` */
  #psi: Uint8Array | null = null;
  #scratch: Uint8Array | null = null;
  #ended = false;
  #skipped = 0;
  #wake: (() => void) | null = null;

  constructor(ring: RingView, options: CursorOptions) {
    this.#ring = ring;
    this.#options = options;
    this.#window = this.#newWindow();
  }

  /** Times it was moved because it was too slow. */
  get skipped(): number {
    return this.#skipped;
  }

  /**
   * The next run of whole packets, 256 KiB at most, valid until the next call or `close`. Waits for one to come; null once the
   * stream has ended, the cursor was closed or `signal` aborted.
   */
  async next(signal?: AbortSignal): Promise<Uint8Array | null> {
    for (;;) {
      if (signal?.aborted) return null;
      const run = this.read();
      if (run || this.#ended) return run;
      await this.#change(signal);
    }
  }

  /** Like `next`, but null also when there is nothing now. */
  read(): Uint8Array | null {
    while (!this.#ended) {
      if (this.#window.cut) this.#window = this.#newWindow();
      if (!this.#epoch && !this.#begin(this.#firstGop())) return null;
      if (this.#psi) {
        const psi = this.#copy(this.#psi, NO_CUTS);
        this.#psi = null;
        this.#join?.expectTables();
        return psi;
      }
      const reach = this.#reach();
      if (reach.over && this.#pos >= reach.end) {
        if (!this.#nextEpoch()) return null;
        continue;
      }
      if (this.#isLate(reach.end)) {
        if (!this.#move()) return null;
        continue;
      }
      if (this.#pos >= reach.end) return null;
      const run = this.#take(reach);
      if (run && run.length > 0) return run;
      if (!run && !this.#move()) return null;
    }
    return null;
  }

  /** Lets go of everything; a waiting `next` answers null. */
  close(): void {
    this.#ended = true;
    this.#window.end('released');
    this.#wake?.();
  }

  #newWindow(): Window {
    return new Window(this.#ring, this.#options.maxPinnedBytes ?? READER_PINNED_BYTES);
  }

  async #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#ring.changed.delete(done);
        signal?.removeEventListener('abort', done);
        this.#wake = null;
        resolve();
      };
      this.#wake = done;
      this.#ring.changed.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  #firstGop(): Gop | undefined {
    const { gops } = this.#ring;
    const { start } = this.#options;
    if (start === 'newest') return gops.at(-1);
    if (start === 'oldest') return gops[0];
    return gops.findLast((gop) => wallAt(gop.epoch, gop.firstPts) <= start.at) ?? gops[0];
  }

  /** Goes on at this group; false when there is none, or it cannot be joined to what was read before, which ends the stream. */
  #begin(gop: Gop | undefined): boolean {
    if (!gop) return false;
    const before = this.#epoch;
    if (before && !this.#joins(before, gop.epoch)) {
      this.#ended = true;
      return false;
    }
    if (!before) this.#base = gop.epoch.shift;
    this.#epoch = gop.epoch;
    this.#pos = gop.start;
    this.#knownEnd = gop.start;
    this.#psi = gop.hasPsi ? null : gop.epoch.program.psi;
    this.#join = new Join(gop.epoch.program, gop.firstPts, before === null);
    return true;
  }

  #joins(before: Epoch, next: Epoch): boolean {
    if (!sameProgram(before.program, next.program)) return false;
    return !this.#options.sameParameters || Buffer.compare(before.parameters, next.parameters) === 0;
  }

  #nextEpoch(): boolean {
    const id = this.#epoch?.id ?? 0;
    const gop = this.#ring.gops.find((later) => later.epoch.id > id);
    // Epochs lie one after the other unless something between them was dropped.
    const lost = gop !== undefined && gop.start > this.#pos;
    if (!this.#begin(gop)) return false;
    if (lost) this.#skipped += 1;
    return true;
  }

  #move(): boolean {
    const later = (gop: Gop): boolean => gop.start > this.#pos;
    const { gops } = this.#ring;
    if (!this.#begin(this.#options.whenLate === 'newest' ? gops.findLast(later) : gops.find(later))) return false;
    this.#skipped += 1;
    return true;
  }

  #isLate(end: number): boolean {
    const { maxBehindBytes = Number.POSITIVE_INFINITY } = this.#options;
    return end - this.#pos > maxBehindBytes && (this.#ring.gops.at(-1)?.start ?? 0) > this.#pos;
  }

  /** How far the present epoch can be read now, and whether that is all of it. */
  #reach(): Boundary & { over: boolean } {
    const last = this.#ring.gops.findLast((gop) => gop.epoch === this.#epoch);
    // Dropped from the ring: what the window still has of it is read to the end, so that no picture is cut in two.
    if (!last) return { end: this.#knownEnd, cuts: [], over: true };
    const reach = last.closed ? { ...last.closed, over: true } : { end: this.#ring.edge(), cuts: [], over: false };
    this.#knownEnd = reach.end;
    return reach;
  }

  /** Undefined when the bytes are gone. */
  #take({ end, cuts }: Boundary): Uint8Array | undefined {
    const view = this.#view(end);
    if (!view) return undefined;
    const open = cuts.filter((cut) => cut.open && cut.start < this.#pos + view.length);
    const shift = this.#shift();
    const run =
      this.#join || shift !== 0 || open.length > 0
        ? this.#copy(view, new Map(open.map((cut) => [cut.pid, cut.start])))
        : view;
    this.#pos += view.length;
    return run;
  }

  /** The next bytes, up to a whole picture where those after them are gone. */
  #view(end: number): Uint8Array | undefined {
    const view = this.#window.view(this.#pos, Math.min(end, this.#pos + CHUNK_BYTES), end);
    if (!view) return undefined;
    const next = this.#pos + view.length;
    if (next >= end || this.#window.holds(next)) return view;
    const video = this.#epoch?.program.video?.pid;
    for (let p = view.length - TS_PACKET_BYTES; p > 0; p -= TS_PACKET_BYTES) {
      if (pidOf(view, p) === video && payloadUnitStarts(view, p)) return view.subarray(0, p);
    }
    return undefined;
  }

  #shift(): number {
    return (this.#epoch?.shift ?? 0) - this.#base;
  }

  /** The packets of `from` as they go out; `cuts` says from which offset on packets of a PID are left out. */
  #copy(from: Uint8Array, cuts: ReadonlyMap<number, number>): Uint8Array {
    // A join marks each PID once; every epoch read has the same program.
    const marks = this.#epoch ? this.#epoch.program.streams.length + 3 : 0;
    this.#scratch ??= new Uint8Array(CHUNK_BYTES + marks * TS_PACKET_BYTES);
    const out = this.#scratch;
    let length = 0;
    let kept = 0;
    const flush = (end: number): void => {
      if (end > kept) out.set(from.subarray(kept, end), length);
      length += end - kept;
    };
    for (let p = 0; p < from.length && (this.#join || cuts.size > 0); p += TS_PACKET_BYTES) {
      const cut = cuts.size > 0 && this.#pos + p >= (cuts.get(pidOf(from, p)) ?? Number.POSITIVE_INFINITY);
      const verdict = cut ? DROP : this.#join?.verdict(from, p);
      if (verdict !== DROP && verdict !== MARK) continue;
      flush(p);
      kept = verdict === DROP ? p + TS_PACKET_BYTES : p;
      if (verdict === DROP) continue;
      discontinuityPacket(out, length, from, p);
      length += TS_PACKET_BYTES;
    }
    flush(from.length);
    const shift = this.#shift();
    if (shift !== 0) for (let p = 0; p < length; p += TS_PACKET_BYTES) shiftTimes(out, p, shift);
    if (this.#join?.settled) this.#join = null;
    return out.subarray(0, length);
  }
}
