import { z } from 'zod';
import { CaptureInfo, SessionStateName } from './capture.ts';
import { AudioTrack } from './audio.ts';
import { ErrorInfo } from './errors.ts';
import { Health } from './health.ts';
import { Mark, RecoveryInfo, ReplayStatus, SaveJob } from './replay.ts';
import { PushStatus } from './push.ts';
import { RtmpPeer } from './rtmp.ts';
import type { StudioState } from './state.ts';

/** One connection that reads the stream (`live`, `follow`) or a part of the buffer (`video`, `range`) over HTTP. */
export const MediaReader = z.object({
  id: z.int(),
  kind: z.enum(['video', 'range', 'follow', 'live']),
  /** Unix seconds */
  since: z.number(),
  /** media bytes the system has taken for it */
  bytesSent: z.int(),
  /** times it was moved forward because it was too slow */
  skipped: z.int(),
});
export type MediaReader = z.infer<typeof MediaReader>;

/** The body of `GET /api/status`. */
export const StatusDocument = z.object({
  version: z.string(),
  state: SessionStateName,
  source: CaptureInfo.nullable(),
  error: ErrorInfo.optional(),
  since: z.number().optional(),
  health: Health,
  replay: ReplayStatus,
  saves: z.array(SaveJob),
  marks: z.array(Mark),
  recovery: RecoveryInfo.nullable(),
  rtmp: z.object({
    url: z.string().nullable(),
    error: ErrorInfo.optional(),
    publishers: z.array(RtmpPeer),
    readers: z.array(RtmpPeer),
  }),
  media: z.object({ readers: z.array(MediaReader) }),
  push: z.array(PushStatus),
  audio: z.array(AudioTrack),
});
export type StatusDocument = z.infer<typeof StatusDocument>;

/** The status document is a view of the same state the UI mirrors, never a second derivation. */
export function statusOf(state: StudioState, readers: readonly MediaReader[]): StatusDocument {
  const { session, rtmp } = state;
  return {
    version: state.app.version,
    state: session.state,
    source: session.state === 'idle' ? null : session.source,
    ...(session.state === 'failed' ? { error: session.error } : {}),
    ...(session.state === 'reconnecting' ? { error: session.reason } : {}),
    ...('since' in session ? { since: session.since } : {}),
    health: state.health,
    replay: state.replay,
    saves: state.saves,
    marks: state.marks,
    recovery: state.recovery,
    rtmp:
      rtmp.state === 'up'
        ? { url: rtmp.url, publishers: rtmp.publishers, readers: rtmp.readers }
        : { url: null, publishers: [], readers: [], ...(rtmp.state === 'down' ? { error: rtmp.error } : {}) },
    media: { readers: [...readers] },
    push: state.push,
    audio: state.audio.tracks,
  };
}
