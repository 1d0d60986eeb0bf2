import { z } from 'zod';
import { ErrorInfo } from './errors.ts';

/** A path segment of an RTMP address (DESIGN section 3). */
export const StreamKey = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, _ and - only, at most 64');

/** One publisher or reader of the RTMP server. What a stream is made of is known once its first pictures came. */
export const RtmpPeer = z.object({
  id: z.string(),
  /** application and key: `/live/test` */
  path: z.string(),
  address: z.string(),
  /** Unix seconds */
  since: z.number(),
  /** our own capture, relay or reader */
  own: z.boolean(),
  /** what the program calls itself (`FMLE/3.0 (compatible; Lavf59...)`) */
  client: z.string().max(128).optional(),
  videoCodec: z.string().max(32).optional(),
  audioCodec: z.string().max(32).optional(),
  width: z.int().positive().optional(),
  height: z.int().positive().optional(),
  fps: z.number().positive().optional(),
  /** over the last two seconds: received from a publisher, sent to a reader */
  kbps: z.number().nonnegative().optional(),
  /** GOPs a slow reader was not sent */
  skippedGops: z.int().nonnegative().optional(),
});
export type RtmpPeer = z.infer<typeof RtmpPeer>;

/** `url` is what readers open while the server is up. */
export const RtmpStatus = z.discriminatedUnion('state', [
  z.object({ state: z.literal('starting') }),
  z.object({ state: z.literal('up'), url: z.string(), publishers: z.array(RtmpPeer), readers: z.array(RtmpPeer) }),
  z.object({ state: z.literal('down'), error: ErrorInfo }),
]);
export type RtmpStatus = z.infer<typeof RtmpStatus>;
