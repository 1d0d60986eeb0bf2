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

export const SaveRequest = z
  .object({
    seconds: z.number().positive().max(86_400).optional(),
    from: z.number().nonnegative().optional(),
    to: z.number().nonnegative().optional(),
    format: z.enum(['mp4']).optional(),
  })
  .strict()
  .refine((r) => r.seconds === undefined || (r.from === undefined && r.to === undefined), {
    message: 'give either seconds, or from and to',
  })
  .refine((r) => r.from === undefined || r.to === undefined || r.from < r.to, { message: 'from must be before to' });
export type SaveRequest = z.infer<typeof SaveRequest>;

export const SavedClip = z.object({
  id: z.string(),
  path: z.string(),
  seconds: z.number(),
  bytes: z.int(),
  sha256: z.string(),
  from: z.number(),
  to: z.number(),
  codec: VideoCodec,
});

/** `seconds` is what was saved, `askedSeconds` what was asked; `reason` says why it is shorter. */
export const SaveAnswer = z.object({
  clips: z.array(SavedClip),
  askedSeconds: z.number(),
  seconds: z.number(),
  reason: z.string().optional(),
});
export type SaveAnswer = z.infer<typeof SaveAnswer>;

/** A save under way. */
export const SaveJob = z.object({ id: z.string(), askedSeconds: z.number(), startedAt: z.number() });
export type SaveJob = z.infer<typeof SaveJob>;

export type SavedClip = z.infer<typeof SavedClip>;
