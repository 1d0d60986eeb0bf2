import { z } from 'zod';
import { FrameRate } from './capture.ts';
import { EncoderId, PictureSize } from './encoders.ts';
import { ErrorInfo } from './errors.ts';
import { VideoCodec } from './replay.ts';

/** One thing the setup test measured or could not; `value` in the unit its name says. */
export const SetupCheck = z.object({
  id: z.enum(['capture', 'encoder', 'speed', 'preview', 'audio-offset', 'disk', 'hotkey', 'rtmp']),
  result: z.enum(['good', 'poor', 'failed', 'skipped']),
  /** what was found, a sentence with its number */
  message: z.string(),
  remedy: z.string().optional(),
});
export type SetupCheck = z.infer<typeof SetupCheck>;

/** How many times real time an encoder is at a size and rate on this machine. */
export const EncoderHeadroom = z.object({
  encoder: EncoderId,
  codec: VideoCodec,
  pictureSize: PictureSize,
  fps: FrameRate,
  headroom: z.number().nonnegative(),
});
export type EncoderHeadroom = z.infer<typeof EncoderHeadroom>;

/** The report of the setup test ("Test that these settings actually work"). */
export const SetupReport = z.object({
  version: z.literal(1),
  /** Unix seconds */
  at: z.number(),
  seconds: z.number(),
  machine: z.object({ platform: z.string(), cpu: z.string(), cores: z.int(), memoryMb: z.int(), ffmpeg: z.string() }),
  source: z.string(),
  captureFps: z.number().nullable(),
  targetFps: z.number().nullable(),
  speed: z.number().nullable(),
  /** age of the picture when the engine hands it to a viewer of the preview, ms: at most this, to within the time of one picture */
  previewAgeMs: z.number().nullable(),
  /** sound later than picture is positive, ms */
  audioOffsetMs: z.number().nullable(),
  diskMbPerSecond: z.number().nullable(),
  hotkey: z.boolean().nullable(),
  encoders: z.array(EncoderHeadroom),
  checks: z.array(SetupCheck),
  recommendation: z
    .object({
      encoder: EncoderId,
      pictureSize: PictureSize,
      fps: FrameRate,
      /** e.g. "1080p60 with NVENC: 1.9 x headroom" */
      sentence: z.string(),
    })
    .nullable(),
});
export type SetupReport = z.infer<typeof SetupReport>;

export const SetupTestState = z.discriminatedUnion('state', [
  z.object({ state: z.literal('idle') }),
  z.object({ state: z.literal('running'), step: z.string(), progress: z.number().min(0).max(1) }),
  z.object({ state: z.literal('done'), report: SetupReport, file: z.string() }),
  z.object({ state: z.literal('failed'), error: ErrorInfo }),
]);
export type SetupTestState = z.infer<typeof SetupTestState>;
