import { readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { StudioError, type Notice, type RecoveryInfo, type SaveAnswer } from '../../../contract/index.ts';
import type { ClipLibrary } from '../clips/library.ts';
import type { ReplaySnapshot, SavedFile } from '../clips/save.ts';
import { saveWherePossible } from '../clips/second-chances.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import { isRunName } from './layout.ts';
import { readLeftover, type Leftover } from './leftover.ts';

export type RecoveryOptions = {
  /** `<data>/mirror` */
  folder: string;
  /** true for a run of this very process */
  isOwn: (run: string) => boolean;
  tools: FfmpegTools;
  library: ClipLibrary;
  folders: () => readonly string[];
  log: Log;
  notify: (notice: Notice) => void;
  onChange: () => void;
};

/** What earlier runs left when they ended unexpectedly. It stays on the disk until the user saves it or throws it away. */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #closing = new AbortController();
  readonly #saved = new Map<ReplaySnapshot, SavedFile>();
  #leftovers: Leftover[] = [];
  #busy = false;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** null while nothing was found. */
  get info(): RecoveryInfo | null {
    const all = this.#leftovers.flatMap(({ snapshots }) => snapshots);
    if (all.length === 0) return null;
    return {
      seconds: all.reduce((sum, { seconds }) => sum + seconds, 0),
      from: Math.min(...all.map(({ from }) => from)),
      to: Math.max(...all.map(({ to }) => to)),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Looks for leftovers and checks them. Never rejects: one that cannot be read stays where it is. */
  async find(): Promise<void> {
    const { folder, isOwn, log, onChange } = this.#options;
    const names = (await readdir(folder).catch(() => [])).filter((name) => isRunName(name) && !isOwn(name)).sort();
    for (const name of names) {
      const run = path.join(folder, name);
      try {
        const leftover = await readLeftover(run, this.#closing.signal);
        if (leftover.snapshots.length > 0) this.#leftovers.push(leftover);
        else await this.#remove(run); // not one whole picture
        log.info({ run, stretches: leftover.snapshots.length }, 'the studio ended unexpectedly before');
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        log.warn({ err: error, run }, 'what an earlier run left could not be read; it is kept');
      }
      onChange();
    }
  }

  /**
   * Saves everything found, one clip for each unbroken stretch, by the way every clip goes; only then it is deleted.
   * Errors: `not-found`, `conflict`, those of `saveFile`; what was found is kept then, and what is finished is not saved again.
   */
  async save(): Promise<SaveAnswer> {
    return this.#alone(async () => {
      const { tools, library, folders, log, notify } = this.#options;
      const chances = { folders: folders(), format: 'mp4' as const, notes: [] };
      const files: SavedFile[] = [];
      const leftovers = [...this.#leftovers];
      for (const snapshot of leftovers.flatMap(({ snapshots }) => snapshots)) {
        const before = this.#saved.get(snapshot);
        const file =
          before ??
          (await saveWherePossible(
            {
              ...{ snapshot, start: null, marks: [], signal: this.#closing.signal },
              tools: async () => tools.get(),
              now: () => Date.now() / 1000,
              onBytes: () => undefined,
              onWritten: () => undefined,
            },
            chances,
          ));
        this.#saved.set(snapshot, file);
        files.push(file);
        if (!before) await library.add([file.clip]);
      }
      await this.#forget(leftovers);
      const seconds = files.reduce((sum, { saved }) => sum + saved.seconds, 0);
      const reason = chances.notes.length > 0 ? { reason: chances.notes.join(' ') } : {};
      log.info({ clips: files.map(({ saved }) => saved.path), seconds }, 'saved what was left of an earlier run');
      const length = { askedSeconds: seconds, seconds, ...reason };
      notify({ type: 'clip-saved', clips: files.map(({ clip }) => clip), ...length });
      return { clips: files.map(({ saved }) => saved), ...length };
    });
  }

  /** Deletes what was found, because the user says so. Errors: `not-found`, `conflict`, `folder-not-writable`. */
  async discard(): Promise<void> {
    await this.#alone(async () => this.#forget([...this.#leftovers]));
  }

  /** Ends what is under way; everything found stays on the disk. */
  close(): void {
    this.#closing.abort();
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      throw new StudioError('conflict', 'What was left is being saved or discarded already.', 'Wait for it to finish.');
    }
    if (this.#leftovers.length === 0) {
      throw new StudioError(
        'not-found',
        'There is nothing to recover.',
        'It may have been saved or discarded already.',
      );
    }
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
      this.#options.onChange();
    }
  }

  async #forget(leftovers: readonly Leftover[]): Promise<void> {
    try {
      for (const leftover of leftovers) {
        await this.#remove(leftover.folder);
        this.#leftovers = this.#leftovers.filter((other) => other !== leftover);
        for (const snapshot of leftover.snapshots) this.#saved.delete(snapshot);
      }
    } catch (cause) {
      throw new StudioError(
        'folder-not-writable',
        'What was left of an earlier run could not be deleted.',
        'Check the permissions of the folder mirror in the data folder.',
        { cause },
      );
    }
  }

  async #remove(run: string): Promise<void> {
    await rm(run, { recursive: true, force: true });
    await rmdir(this.#options.folder).catch(() => undefined); // only when it is empty
  }
}
