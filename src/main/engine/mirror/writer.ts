import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { BatchPool, type Batch } from './batches.ts';
import { markLine, marksName, segmentName } from './layout.ts';

/** What the writer does with a file; a double of it can be slow or full. */
export type MirrorFile = {
  write(bytes: Uint8Array): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
};
export type OpenFile = (file: string) => Promise<MirrorFile>;

export type MirrorWriterOptions = {
  /** this run's own folder; made when the first bytes come */
  folder: string;
  /** bound of the ring, bytes; the files together take two segments more at most */
  maxBytes: number;
  /** the ring's own offsets: of the oldest byte it holds, and after the newest */
  ringStart: () => number;
  ringEnd: () => number;
  /** bytes on their way to the disk, at most; default 16 MB */
  queueBytes?: number;
  /** Unix seconds */
  now?: () => number;
  openFile?: OpenFile;
  /** what the disk refused bytes with; null when it takes them again */
  onTrouble: (error: unknown) => void;
};

type Segment = { number: number; bytes: number; ringEnd: number; startedAt: number };
type OpenSegment = Segment & { media: MirrorFile; marks: MirrorFile };

/** A batch to write, or something to do after those before it. */
type Entry = Batch | 'sync' | 'clear';

const QUEUE_BYTES = 16_000_000;
const SEGMENT_SECONDS = 4;
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;
const SYNC_MS = 1000;
/** How old bytes get in memory before they are handed to the system. */
const BATCH_MS = 100;
const RETRY_SECONDS = 10;

/**
 * Writes the ring's input to segment files as it comes. Nothing here is waited for by the ring: what the disk cannot take in time is
 * dropped, as a hole the reader knows of. Segments go when the ring has let go of all that is in them. Never throws.
 */
export class MirrorWriter {
  readonly #options: MirrorWriterOptions;
  readonly #now: () => number;
  readonly #openFile: OpenFile;
  readonly #pool: BatchPool;
  readonly #queue: Entry[] = [];
  readonly #closed: Segment[] = [];
  #maxBytes: number;
  #segment: OpenSegment | null = null;
  #next = 1;
  #retryAt = 0;
  #troubled = false;
  #begins = false;
  #timer: NodeJS.Timeout | null = null;
  #syncTimer: NodeJS.Timeout | null = null;
  #pumping: Promise<void> | null = null;
  #ended = false;

  constructor(options: MirrorWriterOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now() / 1000);
    this.#openFile = options.openFile ?? openPrivate;
    this.#maxBytes = options.maxBytes;
    this.#pool = new BatchPool({
      maxBytes: options.queueBytes ?? QUEUE_BYTES,
      now: this.#now,
      ringEnd: options.ringEnd,
      onFull: (batch) => this.#enqueue(batch),
    });
  }

  /** The disk does not keep up: input is being left out. */
  get dropping(): boolean {
    return this.#pool.dropping;
  }

  /** Bytes left out so far because the disk did not keep up. */
  get droppedBytes(): number {
    return this.#pool.droppedBytes;
  }

  /** Memory for what is on its way, bytes. */
  get allocatedBytes(): number {
    return this.#pool.allocatedBytes;
  }

  get bytesOnDisk(): number {
    return this.#closed.reduce((sum, { bytes }) => sum + bytes, this.#segment?.bytes ?? 0);
  }

  set maxBytes(bytes: number) {
    this.#maxBytes = bytes;
  }

  beginEpoch(source: string): void {
    this.#pool.beginEpoch(source);
  }

  /** Takes in bytes cut anywhere, after the ring did. */
  write(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#pool.push(chunk);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#pool.seal();
    }, BATCH_MS);
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = null;
      this.#queue.push('sync');
      this.#pump();
    }, SYNC_MS);
  }

  /** The user cleared the ring: nothing of what came before stays on the disk. */
  clear(): void {
    this.#pool.seal();
    for (const entry of this.#queue.splice(this.#pumping ? 1 : 0))
      if (typeof entry === 'object') this.#pool.giveBack(entry);
    this.#pool.interrupt();
    this.#queue.push('clear');
    this.#pump();
  }

  /** Resolves once all that was taken in is written (or was refused by the disk). */
  async settled(): Promise<void> {
    this.#pool.seal();
    while (this.#pumping) await this.#pumping;
  }

  /** Stops writing and deletes what was written. */
  async close(): Promise<void> {
    this.#ended = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#syncTimer) clearTimeout(this.#syncTimer);
    this.#queue.splice(this.#pumping ? 1 : 0);
    while (this.#pumping) await this.#pumping;
    await this.#closeSegment().catch(() => undefined);
    await rm(this.#options.folder, { recursive: true, force: true });
  }

  #enqueue(batch: Batch): void {
    if (this.#ended || this.#now() < this.#retryAt) {
      this.#begins = true;
      this.#pool.giveBack(batch);
      return;
    }
    this.#queue.push(batch);
    this.#pump();
  }

  #pump(): void {
    this.#pumping ??= this.#work();
  }

  async #work(): Promise<void> {
    await Promise.resolve(); // so that #pumping is set before it is taken back
    try {
      for (let entry = this.#queue[0]; entry !== undefined; entry = this.#queue[0]) {
        await this.#take(entry);
        this.#queue.shift();
        if (typeof entry === 'object') this.#pool.giveBack(entry);
      }
    } finally {
      this.#pumping = null;
    }
  }

  async #take(entry: Entry): Promise<void> {
    try {
      if (entry === 'clear') await this.#deleteAll();
      else if (entry === 'sync') await Promise.all([this.#segment?.media.datasync(), this.#segment?.marks.datasync()]);
      else if (this.#now() >= this.#retryAt) await this.#put(entry);
      else this.#begins = true;
    } catch (error) {
      await this.#refused(error);
    }
  }

  async #put(batch: Batch): Promise<void> {
    const begins = batch.begins || this.#begins;
    const segment = await this.#segmentFor(batch, begins);
    const first = segment.bytes === 0;
    // first the line, then the bytes: a line without bytes is harmless
    await segment.marks.write(
      Buffer.from(
        markLine({
          at: segment.bytes,
          wall: batch.wall,
          ...(first ? { source: batch.source } : {}),
          ...(begins ? { begins } : {}),
        }),
      ),
    );
    segment.ringEnd = batch.ringEnd;
    await segment.media.write(batch.bytes.subarray(0, batch.length));
    segment.bytes += batch.length;
    this.#begins = false;
    if (this.#troubled) {
      this.#troubled = false;
      this.#options.onTrouble(null);
    }
  }

  async #segmentFor(batch: Batch, begins: boolean): Promise<OpenSegment> {
    const now = this.#segment;
    const full = now && now.bytes + batch.length > Math.min(MAX_SEGMENT_BYTES, this.#maxBytes / 16);
    if (now && !begins && !full && batch.wall - now.startedAt < SEGMENT_SECONDS) return now;
    await this.#closeSegment();
    await this.#evict();
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const number = this.#next++;
    const marks = await this.#openFile(path.join(folder, marksName(number)));
    let media: MirrorFile;
    try {
      media = await this.#openFile(path.join(folder, segmentName(number)));
    } catch (error) {
      await marks.close().catch(() => undefined);
      throw error;
    }
    this.#segment = { number, bytes: 0, ringEnd: batch.ringEnd, startedAt: batch.wall, media, marks };
    return this.#segment;
  }

  async #closeSegment(): Promise<void> {
    const segment = this.#segment;
    if (!segment) return;
    this.#segment = null;
    const { number, bytes, ringEnd, startedAt, media, marks } = segment;
    this.#closed.push({ number, bytes, ringEnd, startedAt });
    try {
      await Promise.all([media.datasync(), marks.datasync()]);
    } finally {
      await Promise.allSettled([media.close(), marks.close()]);
    }
  }

  async #evict(): Promise<void> {
    const start = this.#options.ringStart();
    for (let oldest = this.#closed[0]; oldest; oldest = this.#closed[0]) {
      // a keyframe that is still arriving begins where the ring ended
      if (oldest.ringEnd >= start && this.bytesOnDisk <= this.#maxBytes) return;
      await this.#delete(oldest);
      this.#closed.shift();
    }
  }

  async #deleteAll(): Promise<void> {
    await this.#closeSegment().catch(() => undefined);
    for (const segment of this.#closed.splice(0)) await this.#delete(segment);
  }

  async #delete({ number }: Segment): Promise<void> {
    const { folder } = this.#options;
    await Promise.all(
      [segmentName(number), marksName(number)].map(async (name) => rm(path.join(folder, name), { force: true })),
    );
  }

  /** What is on the disk stays; input is left out for a while. What the ring lets go of meanwhile makes room. */
  async #refused(error: unknown): Promise<void> {
    this.#begins = true;
    this.#retryAt = this.#now() + RETRY_SECONDS;
    await this.#closeSegment().catch(() => undefined);
    await this.#evict().catch(() => undefined);
    if (!this.#troubled) this.#options.onTrouble(error);
    this.#troubled = true;
  }
}

async function openPrivate(file: string): Promise<MirrorFile> {
  const handle = await open(file, 'wx', 0o600);
  return {
    write: async (bytes) => {
      for (let done = 0; done < bytes.length;) done += (await handle.write(bytes, done)).bytesWritten;
    },
    datasync: async () => handle.datasync(),
    close: async () => handle.close(),
  };
}
