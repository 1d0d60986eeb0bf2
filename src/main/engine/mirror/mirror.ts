import { randomBytes } from 'node:crypto';
import { rmdir } from 'node:fs/promises';
import path from 'node:path';
import type { Problem } from '../../../contract/index.ts';
import type { Log } from '../logging/log.ts';
import { runName } from './layout.ts';
import type { MirroredRing } from './mirrored-ring.ts';
import { MirrorWriter } from './writer.ts';

export type MirrorOptions = {
  ring: MirroredRing;
  /** `<data>/mirror` */
  folder: string;
  log: Log;
  onChange: () => void;
};

/** The option to keep the ring on the disk as well, so that it outlives the process. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #own = new Set<string>();
  #writer: MirrorWriter | null = null;
  #trouble: Problem | null = null;
  #maxBytes = 0;

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  get problem(): Problem | null {
    return this.#trouble ?? (this.#writer?.dropping === true ? TOO_SLOW : null);
  }

  isOwn(run: string): boolean {
    return this.#own.has(run);
  }

  /** Begins to mirror what comes from now on, or deletes what was mirrored. `maxBytes` is the ring's bound. Never rejects. */
  async set(on: boolean, maxBytes: number): Promise<void> {
    this.#maxBytes = maxBytes;
    if (on) this.#start();
    else await this.close();
  }

  /** Deletes what was mirrored: this run ends cleanly. Never rejects. */
  async close(): Promise<void> {
    const { ring, folder, log } = this.#options;
    const writer = this.#writer;
    this.#writer = null;
    this.#trouble = null;
    if (!writer) return;
    ring.writer = null;
    try {
      await writer.close();
      await rmdir(folder).catch(() => undefined); // only when it is empty: what a crash left stays
    } catch (error) {
      log.warn({ err: error }, 'the mirror of the replay buffer could not be deleted');
    }
  }

  #start(): void {
    const { ring, folder, log, onChange } = this.#options;
    if (this.#writer) {
      this.#writer.maxBytes = this.#maxBytes;
      return;
    }
    const run = runName(Date.now(), randomBytes(4).toString('hex'));
    this.#own.add(run);
    const writer = new MirrorWriter({
      folder: path.join(folder, run),
      maxBytes: this.#maxBytes,
      ringStart: () => ring.oldestOffset,
      ringEnd: () => ring.oldestOffset + ring.status().bytesHeld,
      onTrouble: (error) => {
        if (this.#writer !== writer) return;
        this.#trouble = error === null ? null : troubleOf(error);
        if (error === null) log.info('the mirror of the replay buffer goes on');
        else log.warn({ err: error }, 'the replay buffer could not be mirrored');
        onChange();
      },
    });
    this.#writer = writer;
    ring.writer = writer;
  }
}

const TOO_SLOW: Problem = {
  code: 'mirror-slow',
  severity: 'warning',
  message:
    'The disk is too slow for the crash-safe replay buffer, so parts are missing from its copy. The buffer itself is whole.',
  remedy: 'Turn the option off in the settings, or lower the picture size.',
};

function troubleOf(error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return {
    code: 'mirror-stopped',
    severity: 'warning',
    message: full
      ? 'The disk is full, so the replay buffer is in memory only and would not survive a crash.'
      : 'The replay buffer cannot be written to the data folder, so it is in memory only and would not survive a crash.',
    remedy: full
      ? 'Make room on the disk of the data folder; it goes on by itself.'
      : 'Check that the data folder can be written to; it goes on by itself.',
  };
}
