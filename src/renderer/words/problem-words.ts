import type { Problem, ProblemCode } from '../../contract/health.ts';
import type { SessionState } from '../../contract/capture.ts';

/** Titles of the groups in the settings dialog that a problem may lead to. */
export type SettingsGroup = 'Picture' | 'Sound' | 'Replay' | 'Save buttons' | 'Clips';

/** What a problem's button does. */
export type ProblemAction =
  | { readonly label: string; readonly does: 'settings'; readonly group: SettingsGroup }
  | { readonly label: string; readonly does: 'sources' | 'clips-folder' | 'push' };

const picture = { label: 'Picture settings', does: 'settings', group: 'Picture' } as const;
const sound = { label: 'Sound settings', does: 'settings', group: 'Sound' } as const;
const replay = { label: 'Replay settings', does: 'settings', group: 'Replay' } as const;
const sources = { label: 'Choose another source', does: 'sources' } as const;

const ACTIONS: Partial<Record<ProblemCode, ProblemAction>> = {
  'fps-low': picture,
  'speed-low': picture,
  'frames-dropped': picture,
  'encoder-overloaded': picture,
  'encoder-fallback': picture,
  'picture-black': sources,
  'picture-frozen': sources,
  'device-lost': sources,
  'no-sound': sound,
  'audio-device-lost': sound,
  'push-failed': { label: 'Push settings', does: 'push' },
  'disk-low': { label: 'Open the clips folder', does: 'clips-folder' },
  'clips-folder': { label: 'Clips settings', does: 'settings', group: 'Clips' },
  'memory-low': replay,
  'ring-overflow': replay,
  'mirror-slow': replay,
  'hotkey-unavailable': { label: 'Change hotkeys', does: 'settings', group: 'Save buttons' },
};

/** The button beside a problem, if there is one that helps now: what another program sends is mended there, not here. */
export function problemAction(code: ProblemCode, session: SessionState): ProblemAction | undefined {
  const action = ACTIONS[code];
  // the list of sources is the whole screen then
  if (action?.does === 'sources' && session.state === 'idle') return undefined;
  if (code === 'speed-low' && 'source' in session && session.source !== null && session.source.fps === undefined) {
    return undefined;
  }
  return action;
}

/** The worst first; within that in the engine's order. */
export const bySeverity = (problems: readonly Problem[]): Problem[] =>
  [...problems].sort((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));

/** What is said aloud once when problems come: those that were not there before. */
export const newProblems = (problems: readonly Problem[], before: ReadonlySet<ProblemCode>): string =>
  problems
    .filter(({ code }) => !before.has(code))
    .map(({ message, remedy }) => `${message} ${remedy}`)
    .join(' ');

/** What each gauge shows and when it is well, for the help beside them. */
export const GAUGE_HELP: readonly { readonly name: string; readonly text: string }[] = [
  {
    name: 'Capture rate',
    text: 'New pictures per second from the source over the last two seconds; repeated ones do not count. At least 95 % of what you chose is on target.',
  },
  {
    name: 'Speed',
    text: '1.00 × means that a second of video is made in a second. Lastingly below 0.98 × the encoder does not keep up and the stream falls behind.',
  },
  {
    name: 'Bitrate',
    text: 'What a second of the stream takes in memory and on the disk. q is how coarsely the encoder rounds: lower looks better.',
  },
  {
    name: 'Dropped',
    text: 'Pictures lost or shown twice in the last two minutes. One in a hundred is a visible stutter every few seconds.',
  },
];
