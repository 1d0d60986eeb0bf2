import { once } from 'node:events';
import { StudioError, type VideoCodec } from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { startChild } from '../process/child.ts';

/** ffmpeg may take this long without accepting a byte before it counts as hung. */
const STALL_MS = 20_000;
const DISK_FULL = /No space left on device|ENOSPC|Disk quota exceeded/i;

/** The arguments of a stream copy from MPEG-TS on stdin to an MP4 file: nothing is encoded again. */
function remuxArgs(codec: VideoCodec, file: string): string[] {
  return [
    ...['-hide_banner', '-loglevel', 'error', '-fflags', '+genpts', '-f', 'mpegts', '-i', 'pipe:0'],
    ...['-map', '0:v:0', '-map', '0:a?', '-c', 'copy'],
    // players of Apple read HEVC only under this tag
    ...(codec === 'hevc' ? ['-tag:v', 'hvc1'] : []),
    ...['-avoid_negative_ts', 'make_zero', '-f', 'mp4', '-y', file],
  ];
}

/**
 * Copies whole pictures of MPEG-TS into an MP4 file. The chunks are read as fast as ffmpeg takes them; nothing is kept.
 * Errors: `disk-full`, `save-failed`, `cancelled`. The file may exist in part after an error; the caller removes it.
 */
export async function remux(
  tools: Ffmpeg,
  chunks: Iterable<Uint8Array>,
  codec: VideoCodec,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const child = startChild({ name: 'ffmpeg save', command: tools.ffmpeg, args: remuxArgs(codec, file) });
  const onAbort = (): void => child.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  let ended = false;
  void child.exited.then(() => (ended = true));
  const hasEnded = (): boolean => ended;
  let stuck: NodeJS.Timeout | undefined;
  try {
    for (const chunk of chunks) {
      if (signal.aborted || hasEnded()) break;
      if (child.stdin.write(chunk)) continue;
      stuck = setTimeout(() => child.kill(), STALL_MS);
      await Promise.race([once(child.stdin, 'drain').catch(() => undefined), child.exited]);
      clearTimeout(stuck);
    }
    child.stdin.end();
    stuck = setTimeout(() => child.kill(), STALL_MS);
    const exit = await child.exited;
    if (signal.aborted)
      throw new StudioError('cancelled', 'The save was cancelled.', 'The replay is kept; save again when you want it.');
    if (exit.code === 0) return;
    const text = exit.stderr.join(' / ');
    const cause = new Error(`ffmpeg ended with ${exit.signal ?? String(exit.code)}: ${text}`, {
      cause: exit.spawnError,
    });
    if (exit.spawnError)
      throw new StudioError(
        'ffmpeg-missing',
        'ffmpeg could not be started to save the clip.',
        'Install ffmpeg, then save again: the replay is kept.',
        { cause },
      );
    if (DISK_FULL.test(text)) throw diskFull(cause);
    throw new StudioError(
      'save-failed',
      'The clip could not be written.',
      'The replay is kept; check the clips folder and save again.',
      { cause },
    );
  } finally {
    clearTimeout(stuck);
    signal.removeEventListener('abort', onAbort);
    child.kill();
  }
}

export const diskFull = (cause: unknown): StudioError =>
  new StudioError(
    'disk-full',
    'The disk of the clips folder is full.',
    'Free some space or choose another folder, then save again: the replay is kept.',
    { cause },
  );
