import type { SessionState } from '../../contract/capture.ts';
import type { EpochInfo, ReplayStatus } from '../../contract/replay.ts';
import { clock, size } from './format.ts';
import { isRunning } from './session-words.ts';

/** `1:34 held of 2:00` and `139 MB of 512 MB`: what is really there, then the bound. */
export const heldWords = (replay: ReplayStatus): { time: string; memory: string } => ({
  time: `${clock(replay.secondsHeld)} held of ${clock(replay.capacitySeconds)}`,
  memory: `${size(replay.bytesHeld)} of ${size(replay.capacityBytes)}`,
});

/** Set when the memory bound ends the replay before the time bound does, at the present bitrate. */
export function shortfall({ estimatedSeconds, capacitySeconds, capacityBytes }: ReplayStatus): string | undefined {
  if (estimatedSeconds === null || estimatedSeconds >= capacitySeconds * 0.98) return undefined;
  return `${size(capacityBytes)} hold about ${clock(estimatedSeconds)} at this bitrate`;
}

/** Why nothing can be saved now; undefined when it can. */
export function saveDisabledReason(input: {
  connected: boolean;
  session: SessionState;
  secondsHeld: number;
}): string | undefined {
  if (!input.connected) return 'No connection to the studio';
  if (input.secondsHeld > 0) return undefined;
  return isRunning(input.session)
    ? 'Nothing held yet: waiting for the first pictures'
    : 'Nothing held: start streaming first';
}

/** Shown beside Save while less is held than it asks for. */
export const saveHint = (saveSeconds: number, secondsHeld: number): string | undefined =>
  secondsHeld > 0 && secondsHeld < saveSeconds ? `saves the ${clock(secondsHeld)} held so far` : undefined;

export type Segment = { readonly id: number; readonly left: number; readonly width: number; readonly seconds: number };

/**
 * Places the epochs on a bar of `capacitySeconds`, end to end, the newest at the right edge. Positions are fractions of
 * the bar; what is held beyond the capacity (a moment between two evictions) shrinks the scale instead of falling off.
 */
export function segments(epochs: readonly EpochInfo[], capacitySeconds: number): Segment[] {
  const total = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const scale = Math.max(total, capacitySeconds, 0.001);
  let left = 1 - total / scale;
  return epochs.map(({ id, seconds }) => {
    const segment = { id, left, width: seconds / scale, seconds };
    left += segment.width;
    return segment;
  });
}
