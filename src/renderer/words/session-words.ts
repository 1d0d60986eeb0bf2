import type { SessionState } from '../../contract/capture.ts';
import { isSentToUs } from '../../contract/sources.ts';
import { clock } from './format.ts';
import type { Tone } from './health-words.ts';

export type SessionWords = {
  readonly label: string;
  /** a running time beside the label, seconds */
  readonly seconds?: number;
  readonly tone: Tone | 'live' | 'busy';
};

/** The state pill. `now` is Unix seconds. */
export function sessionWords(session: SessionState, now: number): SessionWords {
  switch (session.state) {
    case 'idle':
      return { label: 'Ready', tone: 'plain' };
    case 'starting':
      return { label: isSentToUs(session.source.kind) ? 'Waiting' : 'Starting', tone: 'busy' };
    case 'live':
      return { label: 'Live', seconds: now - session.since, tone: 'live' };
    case 'stalled':
      return { label: 'Stalled', seconds: now - session.stalledSince, tone: 'warn' };
    case 'reconnecting':
      return { label: 'Reconnecting', tone: 'warn' };
    case 'stopping':
      return { label: 'Stopping', tone: 'busy' };
    case 'failed':
      return { label: 'Failed', tone: 'bad' };
  }
}

/** One sentence for the live region: spoken when the state changes, so without running times. */
export function announcement(session: SessionState): string {
  switch (session.state) {
    case 'idle':
      return 'Not streaming.';
    case 'starting':
      return isSentToUs(session.source.kind)
        ? `Waiting for ${session.source.name}.`
        : `Starting to stream ${session.source.name}.`;
    case 'live':
      return `Live: ${session.source.name}.`;
    case 'stalled':
      return `${session.source.name} gives no new pictures.`;
    case 'reconnecting':
      return isSentToUs(session.source.kind)
        ? session.reason.message
        : `The capture ended by itself and is being started again. ${session.reason.message}`;
    case 'stopping':
      return 'Stopping.';
    case 'failed':
      return `Streaming failed. ${session.error.message} ${session.error.remedy}`;
  }
}

/** True while a capture exists that may produce pictures. */
export const isRunning = (session: SessionState): boolean =>
  session.state === 'starting' ||
  session.state === 'live' ||
  session.state === 'stalled' ||
  session.state === 'reconnecting';

export function stalledSentence(stalledSince: number, now: number): string {
  const seconds = Math.max(1, Math.floor(now - stalledSince));
  return `No new picture for ${seconds < 60 ? `${seconds} s` : clock(seconds)}`;
}
