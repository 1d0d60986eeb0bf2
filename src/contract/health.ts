import { z } from 'zod';

/** The closed list of what can be wrong while the studio runs. */
export const ProblemCode = z.enum([
  'stalled',
  'fps-low',
  'speed-low',
  'frames-duplicated',
  'frames-dropped',
  'rtmp-down',
  'rtmp-not-carried',
  'hotkey-unavailable',
  'ffmpeg-missing',
  'ring-overflow',
  'disk-low',
  'clips-folder',
  'settings-reset',
  'mirror-stopped',
  'mirror-slow',
  'preview-failed',
  'encoder-overloaded',
  'encoder-fallback',
  'picture-black',
  'picture-frozen',
  'no-sound',
  'audio-device-lost',
  'device-lost',
  'memory-low',
  'priority-refused',
  'push-failed',
  // of a source that another program sends
  'input-waiting',
  'input-unreadable',
  'input-damaged',
  'input-second-sender',
]);
export type ProblemCode = z.infer<typeof ProblemCode>;

export const Problem = z.object({
  code: ProblemCode,
  severity: z.enum(['warning', 'error']),
  message: z.string(),
  remedy: z.string(),
});
export type Problem = z.infer<typeof Problem>;

/**
 * Measured over the last two seconds of our own clock (ffmpeg's own figures are averages since start that hide stalls).
 * `null` where nothing has been measured yet.
 */
export const Health = z.object({
  /** new pictures per second: delta(frame - dup) / dt */
  fps: z.number().nullable(),
  /** media seconds encoded per second: delta(out_time) / dt */
  speed: z.number().nullable(),
  /** bytes entering the replay ring, kbit/s */
  bitrateKbps: z.number().nullable(),
  /** the encoder's last quantiser, lower is better */
  q: z.number().nullable(),
  /** pictures repeated, since the capture started */
  duplicated: z.int(),
  /** pictures dropped, since the capture started */
  dropped: z.int(),
  /** the same two over the last two minutes */
  duplicatedRecently: z.int(),
  droppedRecently: z.int(),
  targetFps: z.int().nullable(),
  problems: z.array(Problem),
});
export type Health = z.infer<typeof Health>;
