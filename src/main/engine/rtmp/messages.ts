import { z } from 'zod';
import { RtmpPeer } from '../../../contract/rtmp.ts';

/** What the RTMP host process tells the engine. */
export const HostMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('listening'), port: z.int().positive().max(65_535) }),
  z.object({ type: z.literal('listen-failed'), code: z.string() }),
  z.object({ type: z.literal('peers'), publishers: z.array(RtmpPeer), readers: z.array(RtmpPeer) }),
  /** somebody came, was refused or was closed, and why; never a secret */
  z.object({
    type: z.literal('log'),
    event: z.enum(['opened', 'refused', 'closed']),
    fields: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
]);
export type HostMessage = z.infer<typeof HostMessage>;

/** What the engine tells the RTMP host process: over its channel, because arguments can be read by every local user. */
export const HostOrder = z.object({
  type: z.literal('access'),
  publishKey: z.string(),
  playKey: z.string(),
  /** known to the studio's own programs only, new for each run */
  ownToken: z.string(),
  /** where the studio's own programs publish, whatever key their address had when they were started; empty: as they say */
  liveKey: z.string(),
});
export type HostOrder = z.infer<typeof HostOrder>;
