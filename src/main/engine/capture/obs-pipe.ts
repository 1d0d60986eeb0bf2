import { StudioError, type Source } from '../../../contract/index.ts';
import type { PipeInlet } from '../pipes/inlet.ts';
import type { ReceivingBackend } from './backend.ts';
import { ReceivingSession, type InputWords } from './receiving-session.ts';

/** The pipe's name, known to users and scripts (DESIGN section 3). */
export const OBS_PIPE_NAME = 'obs_piping_to_buffer';

const ID = 'obs-pipe';

export const PIPE_WORDS: InputWords = {
  place: 'the pipe',
  waiting: 'Nothing has arrived in the pipe yet.',
  resume: 'Start the recording in OBS again',
  encoder: 'Choose an H.264 or HEVC video encoder in OBS.',
  keyframes: 'Set a keyframe interval of one second in OBS (g=60 at 60 pictures per second).',
  damaged: 'Make sure that only one program writes into the pipe; otherwise the sending computer is too busy.',
};

/**
 * What OBS (or ffmpeg) sends as MPEG-TS into the pipe. The inlet listens from the first listing of sources to the end of the studio,
 * whether the source is captured or not: see `PipeInlet`.
 */
export function obsPipeBackend(inlet: PipeInlet): ReceivingBackend {
  const source: Source = {
    id: ID,
    kind: 'pipe',
    name: 'OBS (pipe)',
    app: 'OBS',
    suggested: false,
    available: true,
  };
  return {
    name: 'obs-pipe',
    owns: (id) => id === ID,
    async list() {
      try {
        await inlet.listen();
        return [{ ...source, hint: hintFor(inlet) }];
      } catch (error) {
        const reason =
          error instanceof StudioError ? `${error.message} ${error.remedy}` : 'The pipe could not be opened.';
        return [{ ...source, available: false, reason }];
      }
    },
    receive: (chosen, deps) => new ReceivingSession(chosen, inlet, PIPE_WORDS, deps),
    onChanged: () => undefined,
    thumbnailInput: () => undefined,
    close: async () => inlet.close(),
  };
}

/** Where to click in OBS 28 and later, as it names things. */
function hintFor({ url, trouble }: PipeInlet): string {
  return [
    ...(trouble ? [trouble.message, trouble.remedy] : []),
    'In OBS: Settings, Output, Advanced, Recording: type Custom Output (FFmpeg), output to URL',
    `${url}, container mpegts, an H.264 or HEVC encoder, keyframe interval one second. Then Start Recording.`,
  ].join(' ');
}
