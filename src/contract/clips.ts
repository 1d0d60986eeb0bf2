import { z } from 'zod';
import { ClipCodec, ClipFormat } from './replay.ts';

/** One saved clip in the library. `createdAt`, `from` and `to` are Unix seconds. */
export const Clip = z.object({
  id: z.string(),
  path: z.string(),
  name: z.string(),
  seconds: z.number(),
  bytes: z.int(),
  codec: ClipCodec,
  createdAt: z.number(),
  width: z.int().optional(),
  height: z.int().optional(),
  source: z.string().optional(),
  sha256: z.string().optional(),
  from: z.number().optional(),
  to: z.number().optional(),
});
export type Clip = z.infer<typeof Clip>;

export const ClipId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'a clip id');

/** The format a clip's file name says; mp4 when it says none we know. */
export function clipFormat({ path }: Pick<Clip, 'path'>): ClipFormat {
  return ClipFormat.safeParse(/\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase()).data ?? 'mp4';
}
