/** One block of the ring's memory. */
export type Slab = {
  readonly bytes: Uint8Array;
  /** snapshots that read from it */
  pins: number;
  /** the ring has moved on; only readers hold it */
  detached: boolean;
  /** a reader that was cut may still look at it, so it must never be written again */
  retired: boolean;
};

/** Null when the machine has no memory left: the ring then makes do with what it has. */
function newSlab(size: number): Slab | null {
  try {
    return { bytes: new Uint8Array(size), pins: 0, detached: false, retired: false };
  } catch {
    return null;
  }
}

/**
 * The bytes [tail, head) of an endless stream of absolute offsets, held in equal slabs. Slabs are allocated on first use and reused;
 * those in use and those set aside together never exceed `capacity`. A slab that readers have pinned is not reused before they are done.
 */
export class SlabStore {
  readonly slabBytes: number;
  readonly #onDetached: () => void;
  readonly #used: Slab[] = [];
  readonly #free: Slab[] = [];
  #first = 0;
  #capacity: number;
  #detached = 0;

  constructor(slabBytes: number, capacity: number, onDetached: () => void) {
    this.slabBytes = slabBytes;
    this.#capacity = capacity;
    this.#onDetached = onDetached;
  }

  /** Slabs held only for readers. */
  get detachedCount(): number {
    return this.#detached;
  }

  /** Memory allocated now, bytes, readers' slabs included. */
  get allocatedBytes(): number {
    return (this.#used.length + this.#free.length + this.#detached) * this.slabBytes;
  }

  /** True when the slab that holds `offset` is there. */
  has(offset: number): boolean {
    return this.#slab(offset) !== undefined;
  }

  /** Adds the slab after the newest one, the one `offset` (its first byte) needs; false when the capacity or the machine's memory is used up. */
  extend(offset: number): boolean {
    if (this.#used.length >= this.#capacity) return false;
    const slab = this.#free.pop() ?? newSlab(this.slabBytes);
    if (!slab) return false;
    if (this.#used.length === 0) this.#first = Math.floor(offset / this.slabBytes);
    this.#used.push(slab);
    return true;
  }

  /** Copies into the slab that holds `offset`; the bytes must fit in it. */
  copyIn(offset: number, source: Uint8Array): void {
    this.#slab(offset)?.bytes.set(source, offset % this.slabBytes);
  }

  /** The bytes from `offset` to the end of its slab or `end`, whichever comes first, as a view. */
  view(offset: number, end: number): Uint8Array | undefined {
    const at = offset % this.slabBytes;
    return this.#slab(offset)?.bytes.subarray(at, Math.min(this.slabBytes, at + end - offset));
  }

  /** Gives back every slab that lies wholly before `offset`. */
  freeBelow(offset: number): void {
    const keepFrom = Math.floor(offset / this.slabBytes);
    while (this.#first < keepFrom) {
      const slab = this.#used.shift();
      if (!slab) break;
      this.#first += 1;
      this.#retire(slab);
    }
  }

  setCapacity(capacity: number): void {
    this.#capacity = capacity;
    this.trim();
  }

  /** True while more slabs are in use than the capacity allows. */
  get overCapacity(): boolean {
    return this.#used.length > this.#capacity;
  }

  /** Lets go of spare slabs beyond the capacity. */
  trim(): void {
    while (this.#free.length > 0 && this.#used.length + this.#free.length > this.#capacity) this.#free.pop();
  }

  /** Pins the slabs that hold [from, to). */
  pin(from: number, to: number): Slab[] {
    const slabs = this.#used.slice(
      Math.max(0, Math.floor(from / this.slabBytes) - this.#first),
      Math.max(0, Math.ceil(to / this.slabBytes) - this.#first),
    );
    for (const slab of slabs) slab.pins += 1;
    return slabs;
  }

  /** `mayStillRead`: the reader was cut and may hold views, so a slab that is its alone is left to it and never reused. */
  unpin(slabs: readonly Slab[], mayStillRead: boolean): void {
    for (const slab of slabs) {
      slab.pins -= 1;
      slab.retired ||= mayStillRead;
      if (slab.pins > 0 || !slab.detached) continue;
      this.#detached -= 1;
      slab.detached = false;
      this.#recycle(slab);
    }
  }

  #retire(slab: Slab): void {
    if (slab.pins > 0) {
      slab.detached = true;
      this.#detached += 1;
      this.#onDetached();
    } else this.#recycle(slab);
  }

  #recycle(slab: Slab): void {
    if (!slab.retired && this.#used.length + this.#free.length < this.#capacity) this.#free.push(slab);
  }

  #slab(offset: number): Slab | undefined {
    return this.#used[Math.floor(offset / this.slabBytes) - this.#first];
  }
}
