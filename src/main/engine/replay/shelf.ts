import type { Boundary } from '../transport/indexer.ts';
import { TICKS_PER_SECOND } from '../transport/timestamps.ts';
import { spanOf, wallAt, type Gop } from './gops.ts';
import { wholeRanges } from './ranges.ts';
import type { SlabStore } from './slabs.ts';
import { Hold, makeSnapshot, type Snapshot } from './snapshot.ts';
import { trimEnd } from './trim.ts';
import type { Window } from './window.ts';

const NO_BYTES = new Uint8Array(0);

/** The snapshots and readers that are out, and how much memory beyond the ring's own they may hold on to. */
export class SnapshotShelf {
  readonly #store: SlabStore;
  readonly #onCut: () => void;
  readonly #holds: Hold[] = [];
  readonly #windows = new Set<Window>();

  constructor(store: SlabStore, onCut: () => void) {
    this.#store = store;
    this.#onCut = onCut;
  }

  /**
   * A snapshot of neighbouring groups of one epoch that ends at `tail`, or with the first picture at or after `until` (Unix seconds).
   * Null when there is nothing in it.
   */
  take(run: readonly Gop[], tail: Boundary, until: number): Snapshot | null {
    const [first, last] = [run[0], run.at(-1)];
    if (!first || !last) return null;
    const { epoch } = first;
    let { end, cuts } = tail;
    // Not the next keyframe's time: pictures shown just before that one may be stored after it (open GOP).
    let pts = last.lastPts;
    if (until < wallAt(epoch, pts)) {
      const trimmed = trimEnd(this.#store, last, tail, (until - epoch.wallZero) * TICKS_PER_SECOND);
      if (trimmed) ({ end, cuts, pts } = trimmed);
    }
    const ranges = wholeRanges(this.#store, spanOf(run, end), first.headCuts, cuts);
    const hold = new Hold(this.#store, first.start, end);
    this.#holds.push(hold);
    const { width, height } = epoch.format;
    const facts = {
      epoch: epoch.id,
      codec: epoch.codec,
      sourceName: epoch.sourceName,
      from: wallAt(epoch, first.firstPts),
      to: wallAt(epoch, pts),
      seconds: (pts - first.firstPts) / TICKS_PER_SECOND,
      ...(width === undefined || height === undefined ? {} : { width, height }),
    };
    const psi = first.hasPsi ? NO_BYTES : epoch.program.psi;
    return makeSnapshot(facts, psi, ranges, hold, () => this.#drop(hold));
  }

  add(window: Window): void {
    this.#windows.add(window);
  }

  forget(window: Window): void {
    this.#windows.delete(window);
  }

  /**
   * Cuts the oldest readers off while memory that only readers hold is more than `maxBytes`: players before snapshots, since these
   * are saves.
   */
  limit(maxBytes: number): void {
    while (this.#store.detachedCount * this.#store.slabBytes > maxBytes) {
      const player = [...this.#windows].find((window) => window.blocksMemory);
      if (player) {
        player.end('cut');
        continue;
      }
      const slowest = this.#holds.find((hold) => hold.blocksMemory);
      if (!slowest) return;
      slowest.end('cut');
      this.#drop(slowest);
      this.#onCut();
    }
  }

  #drop(hold: Hold): void {
    const at = this.#holds.indexOf(hold);
    if (at >= 0) this.#holds.splice(at, 1);
  }
}
