import type { CaptureInfo, ErrorInfo, Problem, SessionState } from '../../../contract/index.ts';

/** What is known of a capture session; times are Unix seconds. */
export type SessionFacts = {
  phase: 'starting' | 'running' | 'retrying' | 'stopping' | 'ended';
  info: CaptureInfo;
  liveSince?: number | undefined;
  lastPictureAt?: number | undefined;
  /** first picture of the ffmpeg that runs now */
  steadySince?: number | undefined;
  retry?: { reason: ErrorInfo; attempt: number } | undefined;
  error?: ErrorInfo | undefined;
  endedAt?: number | undefined;
  /** pictures of the source had to wait for the encoder, since the present ffmpeg's start */
  sourceWaited?: boolean;
  /** this user may not raise its priority as far as wanted */
  priorityRefused?: boolean;
  /** what is wrong with it now */
  problems?: readonly Problem[];
};

/** Pictures come at 30 or 60 per second: after a second without one nobody would call it live. */
const STALL_SECONDS = 1;

/** The one derivation of the session's state, for the UI, `/api/status` and the log. */
export function deriveSession(facts: SessionFacts | undefined, now: number): SessionState {
  if (!facts) return { state: 'idle' };
  const { phase, info: source, liveSince, lastPictureAt } = facts;
  if (phase === 'ended') {
    return facts.error ? { state: 'failed', source, error: facts.error, at: facts.endedAt ?? now } : { state: 'idle' };
  }
  if (phase === 'stopping') return { state: 'stopping', source };
  if (liveSince === undefined || lastPictureAt === undefined) return { state: 'starting', source };
  if (facts.retry) {
    return {
      state: 'reconnecting',
      source,
      since: liveSince,
      reason: facts.retry.reason,
      attempt: facts.retry.attempt,
    };
  }
  if (now - lastPictureAt > STALL_SECONDS)
    return { state: 'stalled', source, since: liveSince, stalledSince: lastPictureAt };
  return { state: 'live', source, since: liveSince };
}
