import {
  StudioError,
  type ClipFormat,
  type Mark,
  type Notice,
  type ReplayStatus,
  type SaveAnswer,
  type SaveJob,
  type SaveRequest,
} from '../../../contract/index.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import { PREVIEW_SECONDS, isPreview } from './formats.ts';
import type { ClipLibrary } from './library.ts';
import { cancelled } from './remux.ts';
import type { ReplaySnapshot, SavedFile } from './save.ts';
import { saveWherePossible } from './second-chances.ts';
import { choose, newestEnd, startIn, type Choice, type RingSelection } from './selection.ts';

export type ReplayStore = {
  snapshot(selection: RingSelection): ReplaySnapshot[];
  status(): ReplayStatus;
  /** Drops the groups of pictures that end at or before `at`, Unix seconds. */
  dropBefore(at: number): void;
};

export type SavesDeps = {
  ring: ReplayStore;
  tools: FfmpegTools;
  library: ClipLibrary;
  /** where clips go: the first that can be written to */
  folders: () => readonly string[];
  marks: () => readonly Mark[];
  log: Log;
  defaultSeconds: () => number;
  /** Unix seconds */
  now: () => number;
  notify: (notice: Notice) => void;
  onChange: () => void;
};

type Running = { job: SaveJob; abort: AbortController; settled: Promise<unknown> };

const MAX_SAVES = 8;
/** Less than a picture is nothing new. */
const NOTHING_SECONDS = 0.01;
/** A clip may be this much shorter than asked without a word: part of a picture. */
const SHORT_SECONDS = 0.05;

/** Saves of the replay: any number one after another, a few at once, each from its own snapshot; a failed one costs nothing but itself. */
export class Saves {
  readonly #deps: SavesDeps;
  readonly #running = new Map<string, Running>();
  readonly #closing = new AbortController();
  #next = 1;
  #lastSaveEnd: number | null = null;

  constructor(deps: SavesDeps) {
    this.#deps = deps;
  }

  get jobs(): SaveJob[] {
    return [...this.#running.values()].map(({ job }) => ({ ...job }));
  }

  /**
   * Errors: `buffer-empty`, `range-not-held`, `conflict` (too many at once, nothing new since the last save), and those of `saveFile`;
   * the buffer is kept whatever happens. Clips already finished stay when a later one of the same save fails.
   */
  async save(request: SaveRequest): Promise<SaveAnswer> {
    const { now, onChange, notify, log } = this.#deps;
    if (this.#running.size >= MAX_SAVES) {
      throw new StudioError(
        'conflict',
        'Several saves are already under way.',
        'Wait for them to finish, then save again.',
      );
    }
    const format = request.format ?? 'mp4';
    const id = `save-${this.#next++}`;
    const job: SaveJob = {
      ...{ id, format, askedSeconds: 0, startedAt: now(), stage: 'writing' },
      ...{ bytesWritten: 0, bytesExpected: 0 },
    };
    const abort = new AbortController();
    const earlier = [...this.#running.values()].map(({ settled }) => settled);
    const work = this.#run(request, job, AbortSignal.any([this.#closing.signal, abort.signal]), earlier);
    this.#running.set(id, { job, abort, settled: work.catch(() => undefined) });
    onChange();
    try {
      return await work;
    } catch (thrown) {
      if (thrown instanceof StudioError && thrown.code !== 'cancelled') {
        log.warn({ err: thrown }, `save failed: ${thrown.message}`);
        notify({ type: 'save-failed', error: thrown.toInfo() });
      }
      throw thrown;
    } finally {
      this.#running.delete(id);
      onChange();
    }
  }

  /** Ends a save that is under way; its caller gets `cancelled`. Errors: `not-found`. */
  cancel(id: string): void {
    const found = this.#running.get(id);
    if (!found) {
      throw new StudioError(
        'not-found',
        'There is no such save under way.',
        'It may have finished; look at the clips.',
      );
    }
    found.abort.abort();
  }

  /** Cancels what is under way. */
  close(): void {
    this.#closing.abort();
  }

  // Runs without a pause up to the snapshot (but for since-last-save): what the user saw when they pressed is what they get.
  async #run(
    request: SaveRequest,
    job: SaveJob,
    signal: AbortSignal,
    earlier: readonly Promise<unknown>[],
  ): Promise<SaveAnswer> {
    const { ring } = this.#deps;
    let choice = this.#choose(request);
    if (request.sinceLastSave === true && earlier.length > 0) {
      // where the last save ends is known when it has ended; the end of this one is known now
      const end = newestEnd(ring.status());
      await Promise.all(earlier);
      if (signal.aborted) throw cancelled();
      choice = this.#choose(request);
      if (end !== undefined && typeof choice.selection === 'object' && 'to' in choice.selection) {
        choice = { ...choice, selection: { ...choice.selection, to: end } };
      }
    }
    this.#refuseNothingNew(request, choice);
    const snapshots = ring.snapshot(choice.selection);
    try {
      if (snapshots.length === 0) throw this.#nothingHeld(choice);
      return await this.#write(request, choice, job, snapshots, signal);
    } finally {
      for (const snapshot of snapshots) snapshot.release();
    }
  }

  #choose(request: SaveRequest): Choice {
    const { ring, defaultSeconds, now } = this.#deps;
    const moment = { status: ring.status(), lastSaveEnd: this.#lastSaveEnd };
    return choose(request, { ...moment, defaultSeconds: defaultSeconds(), now: now() });
  }

  async #write(
    request: SaveRequest,
    choice: Choice,
    job: SaveJob,
    snapshots: readonly ReplaySnapshot[],
    signal: AbortSignal,
  ): Promise<SaveAnswer> {
    const { tools, folders, library, marks, now, notify, log, ring, onChange } = this.#deps;
    const start = startIn(choice, snapshots);
    const held = snapshots.reduce((sum, { seconds }) => sum + seconds, 0) - (start?.seconds ?? 0);
    job.askedSeconds = choice.askedSeconds ?? held;
    job.bytesExpected = snapshots.reduce((sum, { bytes }) => sum + bytes, 0);
    onChange();
    const files: SavedFile[] = [];
    const chances = { folders: folders(), format: job.format, notes: [...choice.notes] };
    const markedNow = [...marks()];
    let before = 0;
    for (const [index, snapshot] of snapshots.entries()) {
      job.stage = 'writing';
      const file = await saveWherePossible(
        {
          snapshot,
          start: index === 0 ? start : null,
          tools: async () => tools.get(),
          marks: markedNow,
          now,
          signal,
          onBytes: (total) => void (job.bytesWritten = before + total),
          onWritten: () => void (job.stage = 'checking'),
        },
        chances,
      );
      before += snapshot.bytes;
      snapshot.release();
      files.push(file);
      await library.add([file.clip]);
      this.#finished(chances.format, snapshot.to);
    }
    const saved = files.map((file) => file.saved);
    const seconds = saved.reduce((sum, clip) => sum + clip.seconds, 0);
    const { askedSeconds } = job;
    const possible = isPreview(job.format) ? Math.min(askedSeconds, PREVIEW_SECONDS) : askedSeconds;
    const isShort = seconds < possible - SHORT_SECONDS;
    const reasons = [...(isShort ? [`Only ${seconds.toFixed(1)} s were in the buffer.`] : []), ...chances.notes];
    const answer: SaveAnswer = {
      clips: saved,
      askedSeconds,
      seconds,
      ...(reasons.length > 0 ? { reason: reasons.join(' ') } : {}),
    };
    if (request.clear === true) ring.dropBefore(saved.at(-1)?.to ?? 0);
    log.info({ clips: saved.map((clip) => clip.path), seconds, asked: askedSeconds }, 'replay saved');
    notify({
      type: 'clip-saved',
      clips: files.map((file) => file.clip),
      askedSeconds,
      seconds,
      ...(answer.reason === undefined ? {} : { reason: answer.reason }),
      ...(chances.notes.length > choice.notes.length ? { warning: true } : {}),
    });
    return answer;
  }

  /** A preview is no copy of the replay: what comes after it counts from the save before. */
  #finished(format: ClipFormat, end: number): void {
    if (!isPreview(format)) this.#lastSaveEnd = Math.max(end, this.#lastSaveEnd ?? end);
  }

  #refuseNothingNew(request: SaveRequest, { selection }: Choice): void {
    if (request.sinceLastSave !== true || typeof selection !== 'object' || !('to' in selection)) return;
    if (this.#deps.ring.status().bytesHeld === 0 || selection.to - selection.from > NOTHING_SECONDS) return;
    throw new StudioError(
      'conflict',
      'There is nothing new since the last save.',
      'Save again when new pictures have come, or save the last seconds.',
    );
  }

  #nothingHeld({ selection }: Choice): StudioError {
    if (typeof selection === 'object' && 'to' in selection && this.#deps.ring.status().bytesHeld > 0) {
      return new StudioError(
        'range-not-held',
        'Nothing of that time is in the buffer.',
        'Choose a time within what is held; see replay in GET /api/status.',
      );
    }
    return new StudioError(
      'buffer-empty',
      'There is nothing in the replay buffer yet.',
      'Start streaming first; the buffer fills as soon as pictures arrive.',
    );
  }
}
