import { once } from 'node:events';
import { StudioError } from '../../../contract/index.ts';
import { startChild } from '../process/child.ts';
import { yieldToOthers } from '../process/priority.ts';

/** ffmpeg may take this long without accepting a byte before it counts as hung. */
const STALL_MS = 20_000;
const DISK_FULL = /No space left on device|ENOSPC|Disk quota exceeded/i;
const NOT_WRITABLE = /Permission denied|Read-only file system|No such file or directory/i;

export type RemuxOptions = {
  ffmpeg: string;
  args: readonly string[];
  signal: AbortSignal;
  /** bytes of the stream taken by ffmpeg so far */
  onBytes: (total: number) => void;
  /** set for what encodes: runs below everything else and is ended after so many milliseconds */
  encodes?: { deadlineMs: number };
};

/**
 * Feeds whole pictures of MPEG-TS to an ffmpeg that makes a file of them. The chunks are read as fast as ffmpeg takes them; nothing is
 * kept. Errors: `disk-full`, `folder-not-writable`, `ffmpeg-missing`, `save-failed`, `cancelled`. The file may exist in part after an
 * error; the caller removes it.
 */
export async function remux(chunks: Iterable<Uint8Array>, options: RemuxOptions): Promise<void> {
  const { ffmpeg, args, signal, onBytes, encodes } = options;
  const child = startChild({ name: 'ffmpeg save', command: ffmpeg, args });
  if (encodes) yieldToOthers(child.pid);
  const onAbort = (): void => child.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  let ended = false;
  void child.exited.then(() => (ended = true));
  const hasEnded = (): boolean => ended;
  let late = false;
  const deadline = encodes
    ? setTimeout(() => {
        late = true;
        child.kill();
      }, encodes.deadlineMs)
    : undefined;
  const isLate = (): boolean => late;
  let stuck: NodeJS.Timeout | undefined;
  let bytes = 0;
  try {
    for (const chunk of chunks) {
      if (signal.aborted || hasEnded()) break;
      const taken = child.stdin.write(chunk);
      if (!taken) {
        stuck = setTimeout(() => child.kill(), STALL_MS);
        await Promise.race([once(child.stdin, 'drain').catch(() => undefined), child.exited]);
        clearTimeout(stuck);
      }
      bytes += chunk.length;
      onBytes(bytes);
    }
    child.stdin.end();
    // an encoder goes on after its input ended; its deadline stands
    if (!encodes) stuck = setTimeout(() => child.kill(), STALL_MS);
    const exit = await child.exited;
    if (signal.aborted) throw cancelled();
    if (exit.code === 0) return;
    throw failure(exit, isLate());
  } finally {
    clearTimeout(stuck);
    clearTimeout(deadline);
    signal.removeEventListener('abort', onAbort);
    child.kill();
  }
}

type Exit = { code: number | null; signal: string | null; stderr: readonly string[]; spawnError?: Error };

function failure(exit: Exit, late: boolean): StudioError {
  const text = exit.stderr.join(' / ');
  const cause = new Error(`ffmpeg ended with ${exit.signal ?? String(exit.code)}: ${text}`, { cause: exit.spawnError });
  if (exit.spawnError) return ffmpegGone(cause);
  if (late) {
    return new StudioError(
      'save-failed',
      'The preview took too long to encode.',
      'Save fewer seconds, or save as mp4, which encodes nothing.',
      { cause },
    );
  }
  if (DISK_FULL.test(text)) return diskFull(cause);
  if (NOT_WRITABLE.test(text)) return folderNotWritable('', cause);
  return new StudioError(
    'save-failed',
    'The clip could not be written.',
    'The replay is kept; check the clips folder and save again.',
    { cause },
  );
}

export const cancelled = (): StudioError =>
  new StudioError('cancelled', 'The save was cancelled.', 'The replay is kept; save again when you want it.');

export const ffmpegGone = (cause: unknown): StudioError =>
  new StudioError(
    'ffmpeg-missing',
    'ffmpeg could not be started to save the clip.',
    'Install ffmpeg, then save again: the replay is kept.',
    { cause },
  );

export const diskFull = (cause: unknown): StudioError =>
  new StudioError(
    'disk-full',
    'The disk of the clips folder is full.',
    'Free some space or choose another folder, then save again: the replay is kept.',
    { cause },
  );

export const folderNotWritable = (folder: string, cause: unknown): StudioError =>
  new StudioError(
    'folder-not-writable',
    `The clips folder ${folder === '' ? '' : `${folder} `}cannot be written to.`,
    'Choose another one with --clips, or change its permissions; the replay is kept.',
    { cause },
  );
