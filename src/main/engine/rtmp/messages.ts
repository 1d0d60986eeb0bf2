import { z } from 'zod';
import { RtmpPeer } from '../../../contract/rtmp.ts';

/** What the RTMP host process tells the engine. */
export const HostMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('listening'), port: z.int().positive().max(65_535) }),
  z.object({ type: z.literal('listen-failed'), code: z.string() }),
  z.object({ type: z.literal('peers'), publishers: z.array(RtmpPeer), readers: z.array(RtmpPeer) }),
]);
export type HostMessage = z.infer<typeof HostMessage>;
