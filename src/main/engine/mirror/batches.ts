import { PacketAligner } from '../transport/align.ts';
import { TS_PACKET_BYTES } from '../transport/packet.ts';

/** A run of packets on its way to the disk. */
export type Batch = {
  readonly bytes: Uint8Array;
  length: number;
  /** arrival of its first byte, Unix seconds */
  readonly wall: number;
  readonly source: string;
  /** does not follow from the batch before: another stream, or something between them was dropped */
  readonly begins: boolean;
  /** the ring's end, in its own offsets, after the last byte */
  ringEnd: number;
};

/** One write to the disk; also how much of it a `kill -9` in mid-batch can cost. */
const BATCH_BYTES = 1394 * TS_PACKET_BYTES;

/**
 * Collects the ring's input into batches of whole packets within a bounded number of buffers, which are used again and again. When
 * none is free, input is dropped until half of them are; nothing ever waits.
 */
export class BatchPool {
  readonly #limit: number;
  readonly #free: Uint8Array[] = [];
  readonly #aligner: PacketAligner;
  readonly #now: () => number;
  readonly #ringEnd: () => number;
  readonly #onFull: (batch: Batch) => void;
  #allocated = 0;
  #open: Batch | null = null;
  #begins = true;
  #source = '';
  #dropping = false;
  #droppedBytes = 0;

  constructor(options: {
    maxBytes: number;
    now: () => number;
    /** the ring's end, in its own offsets, after the bytes pushed last */
    ringEnd: () => number;
    onFull: (batch: Batch) => void;
  }) {
    this.#limit = Math.max(2, Math.floor(options.maxBytes / BATCH_BYTES));
    this.#now = options.now;
    this.#ringEnd = options.ringEnd;
    this.#onFull = options.onFull;
    this.#aligner = new PacketAligner((buf, from, count) => this.#add(buf, from, from + count * TS_PACKET_BYTES));
  }

  /** Input is being dropped because the disk does not keep up. */
  get dropping(): boolean {
    return this.#dropping && !this.#halfFree;
  }

  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  get allocatedBytes(): number {
    return this.#allocated * BATCH_BYTES;
  }

  /** The next bytes belong to another stream. */
  beginEpoch(source: string): void {
    this.seal();
    this.#aligner.reset();
    this.#source = source;
    this.#begins = true;
  }

  /** What was dropped on purpose leaves a hole here. */
  interrupt(): void {
    this.#begins = true;
  }

  /** Takes in bytes cut anywhere. */
  push(chunk: Uint8Array): void {
    this.#aligner.push(chunk);
  }

  /** Hands the batch under way on, if there is one. */
  seal(): void {
    const batch = this.#open;
    this.#open = null;
    if (!batch) return;
    batch.ringEnd = this.#ringEnd();
    this.#onFull(batch);
  }

  giveBack(batch: Batch): void {
    this.#free.push(batch.bytes);
  }

  get #halfFree(): boolean {
    return this.#free.length + this.#limit - this.#allocated >= this.#limit / 2;
  }

  #add(buf: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to;) {
      const batch = this.#open ?? this.#take();
      if (!batch) {
        this.#droppedBytes += to - at;
        return;
      }
      const count = Math.min(to - at, BATCH_BYTES - batch.length);
      batch.bytes.set(buf.subarray(at, at + count), batch.length);
      batch.length += count;
      at += count;
      if (batch.length === BATCH_BYTES) this.seal();
    }
  }

  #take(): Batch | null {
    if (this.dropping) return null;
    let bytes = this.#free.pop();
    if (!bytes && this.#allocated < this.#limit) {
      this.#allocated += 1;
      bytes = new Uint8Array(BATCH_BYTES);
    }
    this.#dropping = !bytes;
    if (!bytes) {
      this.#begins = true;
      return null;
    }
    const batch = { bytes, length: 0, wall: this.#now(), source: this.#source, begins: this.#begins, ringEnd: 0 };
    this.#begins = false;
    this.#open = batch;
    return batch;
  }
}
