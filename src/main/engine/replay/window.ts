import type { Boundary } from '../transport/indexer.ts';
import type { Gop } from './gops.ts';
import type { SnapshotShelf } from './shelf.ts';
import type { Slab, SlabStore } from './slabs.ts';

/** What readers see of a ring. */
export type RingView = {
  readonly store: SlabStore;
  readonly shelf: SnapshotShelf;
  /** oldest first; the last one may still be recorded */
  readonly gops: readonly Gop[];
  /** offset of the oldest byte held */
  tail(): number;
  /** how far the group being recorded may be handed out: whole pictures, and other PES packets as far as known to be whole */
  edge(): number;
  /** the end of what is whole in the group being recorded, for a cut there */
  boundary(): Boundary;
  /** called after every change, until removed; must be quick and not throw */
  readonly changed: Set<() => void>;
};

/** Memory one reader keeps ahead of where it reads, at most, bytes. */
export const READER_PINNED_BYTES = 16_000_000;

/**
 * One reader's hold on the next few slabs from where it reads. The ring may move on from them without the reader noticing; it
 * holds at most `maxBytes` (one slab at least), however slow the reader.
 */
export class Window {
  readonly #ring: RingView;
  readonly #limit: number;
  #slabs: Slab[] = [];
  /** number of the first of them in the endless stream */
  #first = 0;
  #cut = false;

  constructor(ring: RingView, maxBytes: number) {
    this.#ring = ring;
    this.#limit = Math.max(1, Math.floor(maxBytes / ring.store.slabBytes));
    ring.shelf.add(this);
  }

  /** Memory of its own was needed elsewhere: the window is empty and stays so; views it gave out stay intact. */
  get cut(): boolean {
    return this.#cut;
  }

  get blocksMemory(): boolean {
    return this.#slabs.some((slab) => slab.detached);
  }

  /** True when the byte at `offset` is in the ring or still in the window. */
  holds(offset: number): boolean {
    const { store } = this.#ring;
    const index = Math.floor(offset / store.slabBytes) - this.#first;
    if (index >= 0 && index < this.#slabs.length) return true;
    return offset >= this.#ring.tail() && store.has(offset);
  }

  /**
   * The bytes from `offset` to the end of its slab or `end`, whichever comes first, valid until the next call or `end`; undefined
   * when they are gone. Offsets must not go back. Memory up to `ahead` is held from now on, within the limit.
   */
  view(offset: number, end: number, ahead: number): Uint8Array | undefined {
    if (this.#cut || !this.holds(offset)) return undefined;
    const size = this.#ring.store.slabBytes;
    const index = Math.floor(offset / size);
    this.#moveTo(index, Math.ceil(ahead / size));
    const at = offset - index * size;
    return this.#slabs[0]?.bytes.subarray(at, Math.min(size, at + end - offset));
  }

  /** `cut`: the reader may still look at what it was given. */
  end(state: 'released' | 'cut'): void {
    if (state === 'cut') this.#cut = true;
    this.#ring.store.unpin(this.#slabs.splice(0), state === 'cut');
    this.#ring.shelf.forget(this);
  }

  /** Lets go of the slabs before `index` and takes hold of those up to `end` that are there, within the limit. */
  #moveTo(index: number, end: number): void {
    const { store } = this.#ring;
    const passed = this.#slabs.splice(0, Math.max(0, index - this.#first));
    if (passed.length > 0) store.unpin(passed, false);
    this.#first = index;
    const have = index + this.#slabs.length;
    const want = Math.min(index + this.#limit, end);
    if (have >= want || !store.has(have * store.slabBytes)) return;
    for (const slab of store.pin(have * store.slabBytes, want * store.slabBytes)) this.#slabs.push(slab);
  }
}
