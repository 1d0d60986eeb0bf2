import type { Mark, ReplayStatus } from '../../contract/replay.ts';
import { segments } from '../words/replay-words.ts';

export type MarkPlace = { readonly mark: Mark; readonly left: number; readonly secondsAgo: number };

/** Where marks stand on the buffer's bar: a fraction of its width, and seconds of media before its newest picture. */
export function markPlaces(marks: readonly Mark[], { epochs, capacitySeconds }: ReplayStatus): MarkPlace[] {
  const scale = Math.max(
    capacitySeconds,
    epochs.reduce((sum, { seconds }) => sum + seconds, 0),
    0.001,
  );
  const blocks = segments(epochs, capacitySeconds);
  return marks.flatMap((mark) => {
    const at = epochs.findIndex(({ id }) => id === mark.epoch);
    const [epoch, block] = [epochs[at], blocks[at]];
    if (!epoch || !block) return [];
    const into = Math.min(epoch.seconds, Math.max(0, mark.at - epoch.from));
    const left = block.left + into / scale;
    return [{ mark, left, secondsAgo: (1 - left) * scale }];
  });
}
