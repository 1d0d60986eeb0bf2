import { fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { DEFAULT_SETTINGS, type SavePreset } from '../../contract/settings.ts';
import type { StudioState } from '../../contract/state.ts';
import { useStudioStore } from '../store/store.ts';
import { connectStudio, studioState } from '../test/studio.ts';
import { scaleMarks } from './EpochBar.tsx';
import { markPlaces } from './mark-places.ts';
import { progressWords } from './progress-words.ts';
import { ReplayBar } from './ReplayBar.tsx';

const holding = (seconds: number, over: Partial<StudioState> = {}): StudioState => {
  const state = studioState(over);
  const epoch = { id: 1, codec: 'h264' as const, from: 0, to: seconds, seconds, bytes: 1000 };
  return { ...state, replay: { ...state.replay, secondsHeld: seconds, bytesHeld: 1000, epochs: [epoch] } };
};
const saveButton = () => screen.getByRole('button', { name: /^Save last/ });

test('with nothing held Save is disabled and says why', () => {
  connectStudio(studioState());
  render(<ReplayBar />);
  expect(saveButton()).toBeDisabled();
  expect(saveButton()).toHaveAccessibleDescription('Nothing held: start streaming first');
  expect(screen.getByRole('button', { name: 'Clear' })).toBeDisabled();
});

test('Save works while idle, once per click however fast, and shows its hotkey', async () => {
  const asked = connectStudio(holding(90));
  render(<ReplayBar />);
  expect(within(saveButton()).getByText('F9')).toBeInTheDocument();
  await userEvent.dblClick(saveButton());
  expect(asked).toEqual([{ name: 'replay.save', input: { seconds: 60 } }]);
});

test('without a connection Save is disabled and says so', () => {
  connectStudio(holding(90));
  useStudioStore.setState({ connection: { status: 'lost', since: 0, attempt: 1, nextAttemptAt: null } });
  render(<ReplayBar />);
  expect(saveButton()).toHaveAccessibleDescription('No connection to the studio');
});

test('Clear asks first', async () => {
  const asked = connectStudio(holding(90));
  render(<ReplayBar />);
  await userEvent.click(screen.getByRole('button', { name: 'Clear' }));
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  expect(asked).toEqual([]);
  await userEvent.click(screen.getByRole('button', { name: 'Clear' }));
  await userEvent.click(screen.getByRole('button', { name: 'Clear the replay' }));
  expect(asked.map(({ name }) => name)).toEqual(['replay.clear']);
});

test('a hotkey the system refused still works in this window; an active one is left to the system', () => {
  const error = { code: 'hotkey-unavailable', message: 'Taken.', remedy: 'Choose another.' } as const;
  const asked = connectStudio(
    holding(90, { hotkeys: [{ id: 'save', state: 'unavailable', accelerator: 'F9', error }] }),
  );
  const { unmount } = render(<ReplayBar />);
  fireEvent.keyDown(document.body, { code: 'F9' });
  expect(asked).toHaveLength(1);
  unmount();
  const askedLater = connectStudio(holding(90));
  render(<ReplayBar />);
  fireEvent.keyDown(document.body, { code: 'F9' });
  expect(askedLater).toEqual([]);
});

const PRESETS: SavePreset[] = [
  { id: 'save', kind: 'seconds', seconds: 60, hotkey: 'F9', format: 'mp4', clear: false },
  { id: 'new', kind: 'since-last-save', hotkey: 'F10', format: 'mkv', clear: false },
  { id: 'all', label: 'Whole stint', kind: 'all', hotkey: '', format: 'ts', clear: true },
];

test('each preset has its button, with its key and what became of it', async () => {
  const error = { code: 'hotkey-unavailable', message: 'Taken.', remedy: 'Choose another.' } as const;
  const hotkeys: StudioState['hotkeys'] = [
    { id: 'save', state: 'active', accelerator: 'F9' },
    { id: 'new', state: 'unavailable', accelerator: 'F10', error },
    { id: 'all', state: 'off' },
    { id: 'mark', state: 'active', accelerator: 'F7' },
  ];
  const asked = connectStudio(holding(90, { hotkeys, settings: { ...DEFAULT_SETTINGS, savePresets: PRESETS } }));
  render(<ReplayBar />);
  expect(within(saveButton()).getByText('F9')).toBeInTheDocument();
  const news = screen.getByRole('button', { name: /^Save what is new as mkv/ });
  expect(news).toHaveTextContent('F10in this window');
  await userEvent.click(saveButton());
  await userEvent.click(news);
  await userEvent.click(screen.getByRole('button', { name: 'Whole stint' }));
  fireEvent.keyDown(document.body, { code: 'F9' });
  expect(asked.map(({ input }) => input)).toEqual([
    { seconds: 60 },
    { sinceLastSave: true, format: 'mkv' },
    { from: 0, format: 'ts', clear: true },
  ]);
});

test('a save under way says how far it is and can be cancelled', async () => {
  const job = { format: 'mp4', startedAt: 0, stage: 'writing', bytesExpected: 200 } as const;
  const asked = connectStudio(
    holding(90, {
      saves: [
        { ...job, id: 'save-1', askedSeconds: 60, bytesWritten: 30 },
        { ...job, id: 'save-2', askedSeconds: 15, bytesWritten: 170 },
      ],
    }),
  );
  render(<ReplayBar />);
  expect(screen.getByText('Saving 2 clips, 50 %')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Cancel all' }));
  expect(asked).toEqual([
    { name: 'replay.cancelSave', input: { id: 'save-1' } },
    { name: 'replay.cancelSave', input: { id: 'save-2' } },
  ]);
});

test('marks are set by a button, stand on the bar, and lead to a save from there or go', async () => {
  const marks = [{ id: 'mark-1', at: 60, label: 'Crash', epoch: 1 }];
  const asked = connectStudio(holding(90, { marks }));
  render(<ReplayBar />);
  await userEvent.click(screen.getByRole('button', { name: /^Mark/ }));
  const flag = screen.getByRole('button', { name: 'Crash, 0:30 ago' });
  await userEvent.click(flag);
  await userEvent.click(screen.getByRole('menuitem', { name: 'Save from here' }));
  await userEvent.click(flag);
  await userEvent.click(screen.getByRole('menuitem', { name: 'Remove the mark' }));
  expect(asked).toEqual([
    { name: 'marks.add', input: {} },
    { name: 'replay.save', input: { from: 60, exact: true } },
    { name: 'marks.delete', input: { id: 'mark-1' } },
  ]);
});

test('marks stand where their pictures do, whatever lies between the stretches', () => {
  const epoch = (id: number, from: number, seconds: number) => ({
    ...{ id, from, seconds, to: from + seconds, codec: 'h264' as const, bytes: 1 },
  });
  const replay = { ...studioState().replay, capacitySeconds: 100, epochs: [epoch(1, 1000, 20), epoch(2, 5000, 30)] };
  const mark = (at: number, owner: number) => ({ id: `${at}`, at, label: '', epoch: owner });
  const places = markPlaces([mark(1010, 1), mark(5030, 2), mark(5000, 2), mark(10, 7)], replay);
  expect(places.map(({ left, secondsAgo }) => [left, secondsAgo].map((value) => Number(value.toFixed(6))))).toEqual([
    [0.6, 40],
    [1, 0],
    [0.7, 30],
  ]);
});

test.each([
  [[], ''],
  [[{ stage: 'writing', bytesWritten: 10, bytesExpected: 40 }], 'Saving 60 s, 25 %'],
  [[{ stage: 'writing', bytesWritten: 0, bytesExpected: 0 }], 'Saving 60 s, 0 %'],
  [[{ stage: 'checking', bytesWritten: 40, bytesExpected: 40 }], 'Checking the file of 60 s'],
] as const)('progress %j reads "%s"', (jobs, words) => {
  const saves = jobs.map((job, i) => ({ ...job, id: `${i}`, format: 'mp4' as const, startedAt: 0, askedSeconds: 60 }));
  expect(progressWords(saves)).toBe(words);
});

test('the scale has few, even marks', () => {
  expect(scaleMarks(120)).toEqual([120, 90, 60, 30]);
  expect(scaleMarks(5)).toEqual([5]);
  expect(scaleMarks(7200)).toEqual([7200, 5400, 3600, 1800]);
});
