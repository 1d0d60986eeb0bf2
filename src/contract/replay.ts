import { z } from 'zod';

export const VideoCodec = z.enum(['h264', 'hevc']);
export type VideoCodec = z.infer<typeof VideoCodec>;

/** One unbroken stretch of the buffer. Times are Unix seconds with fractions. */
export const EpochInfo = z.object({
  id: z.int(),
  codec: VideoCodec,
  from: z.number(),
  to: z.number(),
  seconds: z.number(),
  bytes: z.int(),
});
export type EpochInfo = z.infer<typeof EpochInfo>;

/** What the memory buffer really holds now (not what the settings ask for). */
export const ReplayStatus = z.object({
  /** whole pictures held, all epochs, seconds of media */
  secondsHeld: z.number(),
  /** the newest epoch alone, seconds */
  liveSeconds: z.number(),
  bytesHeld: z.int(),
  capacityBytes: z.int(),
  capacitySeconds: z.number(),
  /** seconds the byte bound can hold at the present bitrate; null while unknown */
  estimatedSeconds: z.number().nullable(),
  epochs: z.array(EpochInfo),
});
export type ReplayStatus = z.infer<typeof ReplayStatus>;

/** Files a replay can be saved as. `gif` and `webm` are small previews, encoded anew; the others are copies of the stream. */
export const ClipFormat = z.enum(['mp4', 'mkv', 'ts', 'gif', 'webm']);
export type ClipFormat = z.infer<typeof ClipFormat>;

/** What is inside a saved file: the stream's own codec, or that of a preview. */
export const ClipCodec = z.enum(['h264', 'hevc', 'vp8', 'vp9', 'gif']);
export type ClipCodec = z.infer<typeof ClipCodec>;

/**
 * What to save: the last `seconds`; or `from` to `to` (Unix seconds; without `from`, or with 0, from the oldest picture held); or what
 * came since the last successful save. Nothing of it means the first preset's length.
 */
export const SaveRequest = z
  .object({
    seconds: z.number().positive().max(86_400).optional(),
    from: z.number().nonnegative().optional(),
    to: z.number().nonnegative().optional(),
    sinceLastSave: z.boolean().optional(),
    /** default mp4 */
    format: ClipFormat.optional(),
    /** begin at the asked picture instead of the keyframe before it (mp4; previews always do) */
    exact: z.boolean().optional(),
    /** drop what was saved, and what is older, once the files are verified */
    clear: z.boolean().optional(),
  })
  .strict()
  .refine(
    (r) =>
      [r.seconds !== undefined, r.from !== undefined || r.to !== undefined, r.sinceLastSave === true].filter(Boolean)
        .length <= 1,
    { message: 'give either seconds, or from and to, or sinceLastSave' },
  )
  .refine((r) => r.from === undefined || r.to === undefined || r.from < r.to, { message: 'from must be before to' })
  .refine((r) => r.exact !== true || (r.format !== 'mkv' && r.format !== 'ts'), {
    message: 'exact needs the format mp4: mkv and ts can begin at a keyframe only',
  });
export type SaveRequest = z.infer<typeof SaveRequest>;

export const SavedClip = z.object({
  id: z.string(),
  path: z.string(),
  seconds: z.number(),
  bytes: z.int(),
  sha256: z.string(),
  from: z.number(),
  to: z.number(),
  codec: ClipCodec,
});
export type SavedClip = z.infer<typeof SavedClip>;

/**
 * `seconds` is what was saved, `askedSeconds` what was asked; `reason` says why it is shorter, or why the clips are of another format or
 * in another folder than asked.
 */
export const SaveAnswer = z.object({
  clips: z.array(SavedClip),
  askedSeconds: z.number(),
  seconds: z.number(),
  reason: z.string().optional(),
});
export type SaveAnswer = z.infer<typeof SaveAnswer>;

/** What a run that ended unexpectedly left on the disk. Times are Unix seconds; `seconds` counts media, `from` to `to` may have holes. */
export const RecoveryInfo = z.object({ seconds: z.number(), from: z.number(), to: z.number(), bytes: z.int() });
export type RecoveryInfo = z.infer<typeof RecoveryInfo>;

/** A save under way; `id` cancels it (`DELETE /api/replays/:id`). Bytes are of the stream, not of the file. */
export const SaveJob = z.object({
  id: z.string(),
  askedSeconds: z.number(),
  startedAt: z.number(),
  format: ClipFormat,
  stage: z.enum(['writing', 'checking']),
  bytesWritten: z.int(),
  bytesExpected: z.int(),
});
export type SaveJob = z.infer<typeof SaveJob>;

export const SaveJobId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'the id of a save');

/** A named moment of the buffer. `at` is Unix seconds, `epoch` the stretch it belongs to; it goes when its pictures go. */
export const Mark = z.object({ id: z.string(), at: z.number(), label: z.string(), epoch: z.int() });
export type Mark = z.infer<typeof Mark>;
export const MarkId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'the id of a mark');
export const MarkRequest = z.strictObject({ label: z.string().trim().max(80).optional() });
export type MarkRequest = z.infer<typeof MarkRequest>;
