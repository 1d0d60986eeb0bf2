import { z } from 'zod';
import { ErrorInfo } from './errors.ts';

/** A path segment of an RTMP address (DESIGN section 3). */
export const StreamKey = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, _ and - only, at most 64');

export const RtmpPeer = z.object({ id: z.string(), path: z.string(), address: z.string(), since: z.number() });
export type RtmpPeer = z.infer<typeof RtmpPeer>;

/** `url` is what readers open while the server is up. */
export const RtmpStatus = z.discriminatedUnion('state', [
  z.object({ state: z.literal('starting') }),
  z.object({ state: z.literal('up'), url: z.string(), publishers: z.array(RtmpPeer), readers: z.array(RtmpPeer) }),
  z.object({ state: z.literal('down'), error: ErrorInfo }),
]);
export type RtmpStatus = z.infer<typeof RtmpStatus>;
