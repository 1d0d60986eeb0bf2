import { z } from 'zod';
import { ErrorInfo } from './errors.ts';
import { BitrateKbps, EncoderChoice, PictureQuality, PictureSize } from './encoders.ts';
import { VideoCodec } from './replay.ts';
import { SourceKind, SourceSelector } from './sources.ts';

export const FrameRate = z.union([z.literal(30), z.literal(60), z.literal(120)]);
export type FrameRate = z.infer<typeof FrameRate>;

/** What is said here holds for this capture instead of the settings. */
export const StartCapture = z.object({
  source: SourceSelector,
  fps: FrameRate.optional(),
  pictureSize: PictureSize.optional(),
  encoder: EncoderChoice.optional(),
  codec: VideoCodec.optional(),
  quality: PictureQuality.optional(),
  /** null lets the quality decide */
  bitrateKbps: BitrateKbps.optional(),
});
export type StartCapture = z.infer<typeof StartCapture>;

/**
 * The source and picture of a running or recent capture. What another program sends (`kind` pipe or rtmp) is described by its own stream,
 * so size, rate and codec are absent until its first pictures came.
 */
export const CaptureInfo = z.object({
  id: z.string(),
  name: z.string(),
  kind: SourceKind,
  /** size of the encoded picture, pixels */
  width: z.int().positive().optional(),
  height: z.int().positive().optional(),
  /** pictures per second by the stream's own timestamps */
  fps: z.number().positive().optional(),
  codec: VideoCodec.optional(),
  /** our encoder; absent when another program encodes */
  encoder: z.string().optional(),
  /** what the computer gave the capture, in words; absent when it was not asked to raise it */
  priority: z.string().optional(),
});
export type CaptureInfo = z.infer<typeof CaptureInfo>;

/**
 * The state of the one capture session; the only derivation is `deriveSession` in the engine. Times are Unix seconds.
 * - `starting` no picture yet · `live` pictures arrive · `stalled` none for a second though the capture runs
 * - `reconnecting` the capture ended by itself and is being started again, or the program that sends is gone and waited for
 * - `failed` it cannot be; the replay is kept
 */
export const SessionState = z.discriminatedUnion('state', [
  z.object({ state: z.literal('idle') }),
  z.object({ state: z.literal('starting'), source: CaptureInfo }),
  z.object({ state: z.literal('live'), source: CaptureInfo, since: z.number() }),
  z.object({ state: z.literal('stalled'), source: CaptureInfo, since: z.number(), stalledSince: z.number() }),
  z.object({
    state: z.literal('reconnecting'),
    source: CaptureInfo,
    since: z.number(),
    reason: ErrorInfo,
    attempt: z.int(),
  }),
  z.object({ state: z.literal('stopping'), source: CaptureInfo }),
  z.object({ state: z.literal('failed'), source: CaptureInfo.nullable(), error: ErrorInfo, at: z.number() }),
]);
export type SessionState = z.infer<typeof SessionState>;

export const SessionStateName = z.enum(['idle', 'starting', 'live', 'stalled', 'reconnecting', 'stopping', 'failed']);
