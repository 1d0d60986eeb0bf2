import { z } from 'zod';

export const SourceKind = z.enum(['window', 'screen', 'test-pattern', 'pipe']);
export type SourceKind = z.infer<typeof SourceKind>;

/**
 * One thing that can be captured. `id` is stable while the thing exists (`window:0x1c00007`, `screen:0`, `test-pattern`, `obs-pipe`);
 * sizes are in physical pixels. A `pipe` is sent to us by another program.
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
 * What a person or script may write to name a source: an id, `test-pattern`, `obs-pipe`, `screen:N`, or `window:TITLE`
 * (case-insensitive part of a title).
 */
export const SourceSelector = z.string().trim().min(1).max(512);
