import type { ReplayStatus, SaveRequest } from '../../../contract/index.ts';
import { PREVIEW_SECONDS, isPreview } from './formats.ts';
import type { ReplaySnapshot } from './save.ts';
import type { WantedStart } from './stream-head.ts';

export type RingSelection = { lastSeconds: number } | { from: number; to: number } | 'all';

/** What a request means at the moment it is made. Times are Unix seconds. */
export type Choice = {
  selection: RingSelection;
  /** null: whatever is held */
  askedSeconds: number | null;
  /** where the clip begins; null with the keyframe before */
  start: { last: number } | { at: number; pick: WantedStart['pick'] } | null;
  /** sentences for the answer */
  notes: readonly string[];
};

export type Moment = {
  status: Pick<ReplayStatus, 'epochs'>;
  /** end of the last successful save; null before the first */
  lastSaveEnd: number | null;
  defaultSeconds: number;
  now: number;
};

const TOO_LONG = `A preview holds at most ${PREVIEW_SECONDS} s, so only the newest were taken.`;

/** The newest picture's end; undefined while nothing is held. */
export const newestEnd = ({ epochs }: Pick<ReplayStatus, 'epochs'>): number | undefined => epochs.at(-1)?.to;

/** Pure: turns a request into a selection of the ring, the length asked for, and where the clip begins. */
export function choose(request: SaveRequest, moment: Moment): Choice {
  const { status, lastSaveEnd, now } = moment;
  const preview = isPreview(request.format ?? 'mp4');
  const exact = preview || request.exact === true;
  const oldest = status.epochs[0]?.from ?? now;
  const end = newestEnd(status) ?? now;
  if (request.sinceLastSave === true && lastSaveEnd !== null) {
    const bounded = preview && end - lastSaveEnd > PREVIEW_SECONDS;
    const from = bounded ? end - PREVIEW_SECONDS : lastSaveEnd;
    const reaches = oldest <= lastSaveEnd;
    return {
      selection: { from, to: end },
      askedSeconds: null,
      // a copy that is no mp4 cannot begin between keyframes: it overlaps by less than a group of pictures
      start: exact || (request.format ?? 'mp4') === 'mp4' ? { at: from, pick: 'after' } : null,
      notes: [
        ...(bounded ? [TOO_LONG] : []),
        ...(reaches ? [] : ['The buffer no longer reaches back to the last save.']),
      ],
    };
  }
  const ranged = request.from !== undefined || request.to !== undefined;
  if (!ranged && request.sinceLastSave !== true) {
    const asked = request.seconds ?? moment.defaultSeconds;
    const held = status.epochs.reduce((sum, { seconds }) => sum + seconds, 0);
    const lastSeconds = preview ? Math.min(asked, PREVIEW_SECONDS) : asked;
    return {
      selection: { lastSeconds },
      askedSeconds: asked,
      start: exact ? { last: lastSeconds } : null,
      notes: lastSeconds < Math.min(asked, held) ? [TOO_LONG] : [],
    };
  }
  // from the beginning, when nothing else is said
  const given = request.from !== undefined && request.from > 0 ? request.from : undefined;
  const to = request.to ?? Math.max(end, given ?? 0);
  const from = given ?? 0;
  const bounded = preview && Math.min(to, end) - Math.max(from, oldest) > PREVIEW_SECONDS;
  const start = bounded ? Math.min(to, end) - PREVIEW_SECONDS : from;
  return {
    selection: from === 0 && request.to === undefined && !bounded ? 'all' : { from: start, to },
    askedSeconds: given === undefined ? null : Math.max(0, Math.min(to, now) - given),
    start: exact && start > 0 ? { at: start, pick: 'before' } : null,
    notes: bounded ? [TOO_LONG] : [],
  };
}

/** The wanted start within the oldest of the snapshots; null when it begins with its keyframe. */
export function startIn(
  choice: Choice,
  snapshots: readonly Pick<ReplaySnapshot, 'from' | 'seconds'>[],
): WantedStart | null {
  const first = snapshots[0];
  if (!first || choice.start === null) return null;
  if ('at' in choice.start) {
    const seconds = choice.start.at - first.from;
    return seconds > 0 ? { seconds, pick: choice.start.pick } : null;
  }
  const seconds = snapshots.reduce((sum, snapshot) => sum + snapshot.seconds, 0) - choice.start.last;
  return seconds > 0 ? { seconds, pick: 'before' } : null;
}
