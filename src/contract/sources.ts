import { z } from 'zod';

export const SourceKind = z.enum(['window', 'screen', 'camera', 'test-pattern', 'pipe', 'rtmp']);
export type SourceKind = z.infer<typeof SourceKind>;

/** Another program encodes it and sends it to us: it begins and ends whenever that program likes. */
export const isSentToUs = (kind: SourceKind): boolean => kind === 'pipe' || kind === 'rtmp';

/**
 * One thing that can be captured. `id` is stable while the thing exists (`window:0x1c00007`, `screen:0`, `camera:/dev/video0`, `test-pattern`, `obs-pipe`, `rtmp:KEY`);
 * sizes are in physical pixels. A `pipe` and an `rtmp` stream are sent to us by another program.
 */
export const Source = z.object({
  id: z.string().min(1).max(256),
  kind: SourceKind,
  name: z.string(),
  app: z.string().optional(),
  width: z.int().positive().optional(),
  height: z.int().positive().optional(),
  suggested: z.boolean(),
  available: z.boolean(),
  /** why it is not available */
  reason: z.string().optional(),
  /** what has to be set elsewhere, for sources that other programs send */
  hint: z.string().optional(),
});
export type Source = z.infer<typeof Source>;

/**
 * What a person or script may write to name a source: an id, `test-pattern`, `obs-pipe`, `rtmp:KEY`, `screen:N`, `region:X,Y,WxH` or
 * `region:N:X,Y,WxH` (physical pixels from the upper left corner of the first screen or of screen N), or `window:TITLE` (case-insensitive part
 * of a title).
 */
export const SourceSelector = z.string().trim().min(1).max(512);
