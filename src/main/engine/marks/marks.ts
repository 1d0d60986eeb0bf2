import { StudioError, type Mark, type ReplayStatus } from '../../../contract/index.ts';

/** More than anyone sets in a buffer; the oldest goes first. */
const MAX_MARKS = 100;
const MAX_LABEL = 80;

/** Named moments of the replay. They live as long as the pictures they name, and cost nothing else. */
export class Marks {
  #marks: readonly Mark[] = [];
  #next = 1;

  get list(): readonly Mark[] {
    return this.#marks;
  }

  /**
   * Marks the newest picture held: its time is the buffer's own, so that it stays with the picture however far the clocks drift.
   * Errors: `buffer-empty`.
   */
  add(label: string | undefined, { epochs }: Pick<ReplayStatus, 'epochs'>): Mark {
    const newest = epochs.at(-1);
    if (!newest) {
      throw new StudioError(
        'buffer-empty',
        'There is nothing in the replay buffer to mark.',
        'Start streaming first; marks name moments of what is held.',
      );
    }
    const number = this.#next++;
    const mark = {
      id: `mark-${number}`,
      at: newest.to,
      label: cleanLabel(label) ?? `Mark ${number}`,
      epoch: newest.id,
    };
    this.#marks = [...this.#marks, mark].slice(-MAX_MARKS);
    return mark;
  }

  /** Errors: `not-found`. */
  delete(id: string): void {
    const kept = this.#marks.filter((mark) => mark.id !== id);
    if (kept.length === this.#marks.length) {
      throw new StudioError('not-found', 'There is no such mark.', 'Its pictures may have left the buffer.');
    }
    this.#marks = kept;
  }

  /** Drops the marks whose pictures are gone. */
  prune({ epochs }: Pick<ReplayStatus, 'epochs'>): void {
    const oldestOf = new Map(epochs.map((epoch) => [epoch.id, epoch.from]));
    const kept = this.#marks.filter((mark) => mark.at >= (oldestOf.get(mark.epoch) ?? Number.POSITIVE_INFINITY));
    if (kept.length < this.#marks.length) this.#marks = kept;
  }
}

/** One line without control characters; undefined when nothing is left of it. */
function cleanLabel(label: string | undefined): string | undefined {
  const clean = Array.from((label ?? '').replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim())
    .slice(0, MAX_LABEL)
    .join('');
  return clean === '' ? undefined : clean;
}
