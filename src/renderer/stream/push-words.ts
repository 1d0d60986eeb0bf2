import type { PushStatus } from '../../contract/push.ts';
import { bitrate, clock, count } from '../words/format.ts';

export type PushWords = { readonly text: string; readonly tone: 'ok' | 'warn' | 'busy' | 'plain' };

/** What a target is doing; `now` is Unix seconds. */
export function pushWords({ state, since, attempt, kbps, skips }: PushStatus, now: number): PushWords {
  switch (state) {
    case 'off':
      return { text: 'Off', tone: 'plain' };
    case 'waiting':
      return { text: 'Waits until something is live', tone: 'plain' };
    case 'connecting':
      return { text: 'Connecting', tone: 'busy' };
    case 'live': {
      const rate = kbps === null ? undefined : bitrate(kbps);
      const facts = [
        `Live for ${clock(now - since)}`,
        ...(rate ? [`${rate.value} ${rate.unit}`] : []),
        ...(skips > 0 ? [`jumped ahead ${count(skips, 'time')}: the server takes it too slowly`] : []),
      ];
      return { text: facts.join(' · '), tone: skips > 0 ? 'warn' : 'ok' };
    }
    case 'retrying':
      return { text: attempt > 0 ? `Trying again, attempt ${attempt}` : 'Trying again', tone: 'warn' };
  }
}
