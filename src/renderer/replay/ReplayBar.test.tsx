import { fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import type { StudioState } from '../../contract/state.ts';
import { useStudioStore } from '../store/store.ts';
import { connectStudio, studioState } from '../test/studio.ts';
import { scaleMarks } from './EpochBar.tsx';
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

test('the scale has few, even marks', () => {
  expect(scaleMarks(120)).toEqual([120, 90, 60, 30]);
  expect(scaleMarks(5)).toEqual([5]);
  expect(scaleMarks(7200)).toEqual([7200, 5400, 3600, 1800]);
});
