import { z } from 'zod';
import { ErrorInfo } from './errors.ts';

export const PushTargetId = z.string().regex(/^[a-z0-9-]{1,32}$/, 'letters, digits and dashes');

/** At most this many addresses the stream is pushed to. */
export const MAX_PUSH_TARGETS = 8;

/** A server the stream is pushed to. The key is no part of it: it is kept apart and never leaves the engine. */
export const PushTarget = z.strictObject({
  id: PushTargetId,
  name: z.string().trim().min(1).max(60),
  /** rtmp, rtmps or srt address, without the key */
  url: z.string().trim().min(1).max(1024),
  enabled: z.boolean(),
});
export type PushTarget = z.infer<typeof PushTarget>;

/** A target as it is asked for; without `key` the one kept stays, an empty one forgets it. */
export const PushTargetRequest = PushTarget.omit({ id: true, enabled: true }).extend({
  id: PushTargetId.optional(),
  key: z.string().max(512).optional(),
});
export type PushTargetRequest = z.infer<typeof PushTargetRequest>;

/**
 * - `off` not wanted · `waiting` wanted, nothing is live to be pushed · `connecting` · `live` the server takes the stream
 * - `retrying` it failed and is tried again by itself
 */
export const PushStatus = PushTarget.extend({
  hasKey: z.boolean(),
  state: z.enum(['off', 'waiting', 'connecting', 'live', 'retrying']),
  /** of the present state, Unix seconds */
  since: z.number(),
  attempt: z.int().nonnegative(),
  /** why it is being retried */
  error: ErrorInfo.optional(),
  kbps: z.number().nullable(),
  /** times the pushed stream jumped ahead because the server took it too slowly */
  skips: z.int().nonnegative(),
});
export type PushStatus = z.infer<typeof PushStatus>;
