import type { VideoCodec } from '../../../contract/replay.ts';
import { StudioError } from '../../../contract/errors.ts';
import type { Range } from './ranges.ts';
import type { Slab, SlabStore } from './slabs.ts';

/** A stretch of one epoch, whole pictures at both ends, held until released. */
export interface Snapshot {
  readonly epoch: number;
  readonly codec: VideoCodec;
  readonly sourceName: string;
  /** Unix seconds with fractions */
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly width?: number;
  readonly height?: number;
  /**
   * The bytes in order, as views into the ring valid until `release`. May be called more than once.
   * Errors: `StudioError` `range-not-held` after `release`, or when the reader was so slow that its memory was needed.
   */
  chunks(): Iterable<Uint8Array>;
  /** Lets the ring reuse the memory. Again does nothing. */
  release(): void;
}

export type SnapshotFacts = Omit<Snapshot, 'chunks' | 'release' | 'bytes'>;

/** One live snapshot's hold on the ring's memory. */
export class Hold {
  #slabs: readonly Slab[];
  #state: 'held' | 'released' | 'cut' = 'held';
  readonly #store: SlabStore;
  readonly #base: number;

  constructor(store: SlabStore, from: number, to: number) {
    this.#store = store;
    this.#base = Math.floor(from / store.slabBytes);
    this.#slabs = store.pin(from, to);
  }

  get active(): boolean {
    return this.#state === 'held';
  }

  /** True while it keeps memory the ring has moved on from. */
  get blocksMemory(): boolean {
    return this.#slabs.some((slab) => slab.detached);
  }

  end(state: 'released' | 'cut'): void {
    if (this.#state !== 'held') return;
    this.#state = state;
    const slabs = this.#slabs;
    this.#slabs = [];
    this.#store.unpin(slabs, state === 'cut');
  }

  *read(prefix: Uint8Array, ranges: readonly Range[]): Generator<Uint8Array, void, undefined> {
    const size = this.#store.slabBytes;
    this.#check();
    if (prefix.length > 0) yield prefix;
    for (const range of ranges) {
      for (let at = range.from; at < range.to;) {
        this.#check();
        const index = Math.floor(at / size);
        const to = Math.min(range.to, (index + 1) * size);
        const view = this.#slabs[index - this.#base]?.bytes.subarray(at - index * size, to - index * size);
        if (view) yield view;
        at = to;
      }
    }
  }

  #check(): void {
    if (this.#state === 'held') return;
    throw this.#state === 'cut'
      ? new StudioError(
          'range-not-held',
          'This reader was too slow and its part of the buffer was given up.',
          'Try again.',
        )
      : new StudioError(
          'range-not-held',
          'This part of the buffer was already released.',
          'Take it from the buffer again.',
        );
  }
}

export function makeSnapshot(
  facts: SnapshotFacts,
  prefix: Uint8Array,
  ranges: readonly Range[],
  hold: Hold,
  onRelease: () => void,
): Snapshot {
  return {
    ...facts,
    bytes: ranges.reduce((sum, range) => sum + range.to - range.from, prefix.length),
    chunks: () => hold.read(prefix, ranges),
    release: () => {
      hold.end('released');
      onRelease();
    },
  };
}
