import {
  StudioError,
  type Notice,
  type ReplayStatus,
  type SaveAnswer,
  type SaveJob,
  type SaveRequest,
} from '../../../contract/index.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import type { ClipLibrary } from './library.ts';
import { saveClips, type ReplaySnapshot } from './save.ts';

export type ReplayStore = {
  snapshot(selection: { lastSeconds: number } | { from: number; to: number }): ReplaySnapshot[];
  status(): ReplayStatus;
};

export type SavesDeps = {
  ring: ReplayStore;
  tools: FfmpegTools;
  library: ClipLibrary;
  folder: string;
  log: Log;
  defaultSeconds: () => number;
  /** Unix seconds */
  now: () => number;
  notify: (notice: Notice) => void;
  onChange: () => void;
};

const MAX_SAVES = 8;

/** Saves of the replay: any number one after another, a few at once, each from its own snapshot; a failed one costs nothing but itself. */
export class Saves {
  readonly #deps: SavesDeps;
  readonly #jobs = new Map<string, SaveJob>();
  readonly #closing = new AbortController();
  #next = 1;

  constructor(deps: SavesDeps) {
    this.#deps = deps;
  }

  get jobs(): SaveJob[] {
    return [...this.#jobs.values()];
  }

  /** Errors: `buffer-empty`, `range-not-held`, `conflict`, and those of `saveClips`; the buffer is kept whatever happens. */
  async save(request: SaveRequest): Promise<SaveAnswer> {
    const { ring, now, onChange, notify, log } = this.#deps;
    if (this.#jobs.size >= MAX_SAVES) {
      throw new StudioError(
        'conflict',
        'Several saves are already under way.',
        'Wait for them to finish, then save again.',
      );
    }
    const wanted = this.#selection(request);
    // the snapshot comes first: what the user saw when they pressed is what they get, however long the rest takes
    const snapshots = ring.snapshot(wanted);
    const askedSeconds =
      'lastSeconds' in wanted
        ? wanted.lastSeconds
        : Math.max(0, Math.min(wanted.to, now()) - Math.max(wanted.from, snapshots[0]?.from ?? 0));
    const id = `save-${this.#next++}`;
    this.#jobs.set(id, { id, askedSeconds, startedAt: now() });
    onChange();
    try {
      return await this.#run(snapshots, askedSeconds, !('lastSeconds' in wanted));
    } catch (thrown) {
      if (thrown instanceof StudioError) {
        log.warn({ err: thrown }, `save failed: ${thrown.message}`);
        notify({ type: 'save-failed', error: thrown.toInfo() });
      }
      throw thrown;
    } finally {
      for (const snapshot of snapshots) snapshot.release();
      this.#jobs.delete(id);
      onChange();
    }
  }

  /** Cancels what is under way. */
  close(): void {
    this.#closing.abort();
  }

  #selection(request: SaveRequest): { lastSeconds: number } | { from: number; to: number } {
    if (request.seconds === undefined && (request.from !== undefined || request.to !== undefined)) {
      return { from: request.from ?? 0, to: request.to ?? this.#deps.now() };
    }
    return { lastSeconds: request.seconds ?? this.#deps.defaultSeconds() };
  }

  async #run(snapshots: readonly ReplaySnapshot[], askedSeconds: number, range: boolean): Promise<SaveAnswer> {
    const { tools, folder, library, now, notify, log } = this.#deps;
    if (snapshots.length === 0) throw this.#nothingHeld(range);
    const { answer, clips } = await saveClips({
      tools: await tools.get(),
      folder,
      snapshots,
      askedSeconds,
      now,
      signal: this.#closing.signal,
    });
    await library.add(clips);
    log.info({ clips: clips.map((clip) => clip.path), seconds: answer.seconds, asked: askedSeconds }, 'replay saved');
    const { seconds, reason } = answer;
    notify({ type: 'clip-saved', clips, askedSeconds, seconds, ...(reason === undefined ? {} : { reason }) });
    return answer;
  }

  #nothingHeld(range: boolean): StudioError {
    if (range && this.#deps.ring.status().bytesHeld > 0) {
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
