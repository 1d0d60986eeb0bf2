import { z } from 'zod';
import { ErrorInfo } from './errors.ts';
import { VideoCodec } from './replay.ts';

/** ffmpeg's names of the encoders we know how to set up. */
export const EncoderId = z.enum([
  'libx264',
  'libx265',
  'h264_nvenc',
  'hevc_nvenc',
  'h264_qsv',
  'hevc_qsv',
  'h264_amf',
  'hevc_amf',
  'h264_videotoolbox',
  'hevc_videotoolbox',
  'h264_vaapi',
  'hevc_vaapi',
]);
export type EncoderId = z.infer<typeof EncoderId>;

/** `auto`: the best that works for the wanted codec. */
export const EncoderChoice = z.union([z.literal('auto'), EncoderId]);
export type EncoderChoice = z.infer<typeof EncoderChoice>;

/** What a trial of an encoder said; `works` only after it encoded a second of video here. */
export const EncoderStatus = z.object({
  id: EncoderId,
  codec: VideoCodec,
  /** the graphics card's, which costs the game's processor nothing */
  hardware: z.boolean(),
  state: z.enum(['untested', 'testing', 'works', 'failed']),
  /** pictures per second it encoded in the trial, of 1280x720 */
  trialFps: z.number().positive().optional(),
  error: ErrorInfo.optional(),
});
export type EncoderStatus = z.infer<typeof EncoderStatus>;

/** Of the encoded video, kbit/s; null lets quality, size and frame rate decide. */
export const BitrateKbps = z.int().min(300).max(200_000).nullable();

/** The encoded picture is at most this tall; never enlarged. */
export const PictureSize = z.enum(['source', '1080p', '720p', '480p']);
export type PictureSize = z.infer<typeof PictureSize>;

/** What the picture is traded for: `performance` costs least, `quality` looks best (for a clip worth keeping). */
export const PictureQuality = z.enum(['performance', 'balanced', 'quality']);
export type PictureQuality = z.infer<typeof PictureQuality>;
