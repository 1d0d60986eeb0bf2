import { StudioError, type EncoderId } from '../../../contract/index.ts';
import { encoderFailure, encoderMute } from '../encoders/failures.ts';
import type { ChildExit } from '../process/child.ts';

const RULES: readonly { pattern: RegExp; error: (line: string) => StudioError }[] = [
  {
    pattern: /Cannot open display|Can't open display|unable to open display/i,
    error: () =>
      new StudioError(
        'capture-failed',
        'The desktop could not be reached.',
        'Check that DISPLAY names a running X server, then start again.',
      ),
  },
  {
    pattern: /Unknown input format: '?(\w+)/i,
    error: () =>
      new StudioError(
        'ffmpeg-unsuitable',
        'This ffmpeg cannot capture the desktop.',
        "Install your system's own ffmpeg package, or set FFMPEG_PATH to one with x11grab.",
      ),
  },
  {
    pattern: /No space left on device/i,
    error: () => new StudioError('disk-full', 'The disk is full.', 'Free some space; the replay in memory is kept.'),
  },
  {
    pattern: /Cannot allocate memory/i,
    error: () =>
      new StudioError('capture-failed', 'The computer ran out of memory.', 'Close other programs, then start again.'),
  },
];

/** The encoder of a capture that ended, and how far it came. */
export type Encoding = { encoder: EncoderId; hardware: boolean; hadPicture: boolean };

/**
 * Why a capture ended by itself, from its exit and the last lines it wrote. Never undefined: an exit nobody asked for is a failure. An encoder on the
 * graphics card that gave no picture is to blame (`encoder-failed`) when nothing else is: drivers crash without a word.
 */
export function classifyExit(exit: ChildExit, { encoder, hardware, hadPicture }: Encoding): StudioError {
  const cause = new Error(
    `ffmpeg ended with ${exit.signal ?? `code ${String(exit.code)}`} after ${Math.round(exit.ranMs)} ms: ${exit.stderr.slice(-6).join(' / ')}`,
    { cause: exit.spawnError },
  );
  if (exit.spawnError) {
    return new StudioError(
      'ffmpeg-missing',
      'ffmpeg could not be started.',
      'Install ffmpeg, or set FFMPEG_PATH to it.',
      { cause },
    );
  }
  const ofEncoder = encoderFailure(encoder, exit.stderr, cause);
  if (ofEncoder) return ofEncoder;
  for (const line of exit.stderr) {
    const rule = RULES.find(({ pattern }) => pattern.test(line));
    if (rule) {
      const { code, message, remedy } = rule.error(line);
      return new StudioError(code, message, remedy, { cause });
    }
  }
  if (hardware && !hadPicture) return encoderMute(encoder, cause);
  return new StudioError(
    'capture-failed',
    'The capture stopped unexpectedly.',
    'The replay is kept. If it does not come back by itself, start again.',
    { cause },
  );
}
