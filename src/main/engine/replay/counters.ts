import type { PacketAligner } from '../transport/align.ts';
import type { StreamIndexer } from '../transport/indexer.ts';

/** Something a person should know; `cause` is for the log. */
export type RingProblem = {
  readonly code: 'ring-overflow' | 'unsupported-stream' | 'reader-cut' | 'listener-failed';
  readonly message: string;
  readonly remedy: string;
  readonly cause?: unknown;
};

export const problems = {
  overflow: (seconds: number): RingProblem => ({
    code: 'ring-overflow',
    message: `The replay buffer is too small for one group of pictures (${seconds.toFixed(1)} s without a keyframe so far); it was dropped.`,
    remedy: 'Give the buffer more memory and time, or set a shorter keyframe interval.',
  }),
  unsupported: (): RingProblem => ({
    code: 'unsupported-stream',
    message: 'The stream holds no H.264 or HEVC video, so no replay can be kept.',
    remedy: 'Choose an H.264 or HEVC encoder in the sending program.',
  }),
  readerCut: (): RingProblem => ({
    code: 'reader-cut',
    message: 'A reader of the replay buffer was too slow and was cut off.',
    remedy: 'Save again, or to a faster disk.',
  }),
  listener: (cause: unknown): RingProblem => ({
    code: 'listener-failed',
    message: 'The preview could not handle a picture.',
    remedy: 'Recording goes on; restart the preview if it stays still.',
    cause,
  }),
};

/** What went wrong since the ring was made, as plain numbers. */
export class RingCounters {
  /** groups dropped because they were larger than the ring */
  overflows = 0;
  /** keyframes without parameter sets, from which nothing can be decoded */
  bareKeyframes = 0;
  readersCut = 0;
  listenerErrors = 0;
  #indexer: StreamIndexer | null = null;
  #aligner: PacketAligner | null = null;

  observe(indexer: StreamIndexer, aligner: PacketAligner): void {
    this.#indexer = indexer;
    this.#aligner = aligner;
  }

  get packets(): number {
    return this.#indexer?.counters.packets ?? 0;
  }

  get badPackets(): number {
    return this.#indexer?.counters.badPackets ?? 0;
  }

  get lostRuns(): number {
    return this.#indexer?.counters.lostRuns ?? 0;
  }

  get earlyEndMisses(): number {
    return this.#indexer?.counters.earlyEndMisses ?? 0;
  }

  get crcErrors(): number {
    return this.#indexer?.crcErrors ?? 0;
  }

  get resyncs(): number {
    return this.#aligner?.resyncs ?? 0;
  }

  get droppedBytes(): number {
    return this.#aligner?.droppedBytes ?? 0;
  }
}
