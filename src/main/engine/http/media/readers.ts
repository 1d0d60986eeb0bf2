import { StudioError, type MediaReader } from '../../../../contract/index.ts';

export type MediaReaderKind = MediaReader['kind'];

/** More would let media connections use up those of the interface. */
const MAX_READERS = 32;

/** Who reads now. */
export class MediaReaders {
  readonly #readers = new Set<MediaReader>();
  readonly #now: () => number;
  #nextId = 1;

  constructor(now: () => number) {
    this.#now = now;
  }

  list(): MediaReader[] {
    return [...this.#readers].map((reader) => ({ ...reader }));
  }

  /** Errors: `conflict` when there are too many. */
  add(kind: MediaReaderKind): MediaReader {
    if (this.#readers.size >= MAX_READERS) {
      throw new StudioError(
        'conflict',
        `${MAX_READERS} programs read the stream already.`,
        'Close one of the players.',
      );
    }
    const reader = { id: this.#nextId, kind, since: this.#now(), bytesSent: 0, skipped: 0 };
    this.#nextId += 1;
    this.#readers.add(reader);
    return reader;
  }

  remove(reader: MediaReader): void {
    this.#readers.delete(reader);
  }
}
