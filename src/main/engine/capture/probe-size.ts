import { StudioError } from '../../../contract/index.ts';
import type { AskProgram } from '../ffmpeg/abilities.ts';
import { parsePictureSize } from '../ffmpeg/listings.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { Size } from './args.ts';

const PROBE_MS = 8000;

/**
 * The size of what an input shows, in pixels, from one picture of it: the listings of macOS and Windows name no sizes. Errors:
 * `source-unavailable` with what ffmpeg said when no picture comes within eight seconds.
 */
export async function probeSize(
  ask: AskProgram,
  { ffmpeg }: Ffmpeg,
  name: string,
  input: readonly string[],
  signal: AbortSignal,
): Promise<Size> {
  const args = ['-hide_banner', '-nostats', ...input, '-map', '0:v:0', '-frames:v', '1', '-f', 'null', '-'];
  const { stderr } = await ask(ffmpeg, args, { timeoutMs: PROBE_MS, signal });
  const size = parsePictureSize(stderr.join('\n'));
  if (size) return size;
  throw new StudioError(
    'source-unavailable',
    `"${name}" gives no picture.`,
    'Check that no other program uses it and that Pitwall is allowed to record it in the system settings.',
    { cause: new Error(stderr.slice(-6).join(' / ')) },
  );
}
