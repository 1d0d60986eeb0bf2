import type { VideoCodec } from '../../../contract/index.ts';
import type { SessionFacts } from '../capture/status.ts';

/** A connection outlives a capture that is started again, and a sender that comes back at once. */
const LINGER_SECONDS = 10;

/** The codec of what others can be given now, undefined when nothing is live; `now` in Unix seconds. */
export function liveCodec(facts: SessionFacts | undefined, now: number): VideoCodec | undefined {
  if (!facts || (facts.phase !== 'running' && facts.phase !== 'retrying')) return undefined;
  const { lastPictureAt, info } = facts;
  return lastPictureAt === undefined || now - lastPictureAt > LINGER_SECONDS ? undefined : info.codec;
}
