import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import type { SessionState } from '../../contract/capture.ts';
import { connectStudio, source, studioState } from '../test/studio.ts';
import { Header } from './Header.tsx';

const captured = { id: 'window:1', name: 'Game', kind: 'window', width: 2, height: 2, fps: 30, encoder: 'x' } as const;
const failed: SessionState = {
  state: 'failed',
  source: captured,
  at: 0,
  error: { code: 'source-gone', message: 'The window was closed.', remedy: 'Open it again.' },
};
const screen0 = source('screen:0', { kind: 'screen' });
const startButton = () => screen.getByRole('button', { name: 'Start streaming' });

test('Start starts the suggested source', async () => {
  const asked = connectStudio(studioState({ sources: [screen0, source('window:1', { suggested: true })] }));
  render(<Header />);
  await userEvent.click(startButton());
  expect(asked).toEqual([{ name: 'capture.start', input: { source: 'window:1' } }]);
});

test('nothing chosen, nothing to start: a screen is never taken by itself', () => {
  connectStudio(studioState({ sources: [screen0, source('window:1')] }));
  render(<Header />);
  expect(startButton()).toBeDisabled();
});

test('after a failure Start means the failed source, and nothing else when that is gone', async () => {
  const suggested = source('window:2', { suggested: true });
  connectStudio(studioState({ session: failed, sources: [screen0, suggested] }));
  const { unmount } = render(<Header />);
  expect(startButton()).toBeDisabled();
  unmount();
  const asked = connectStudio(studioState({ session: failed, sources: [screen0, suggested, source('window:1')] }));
  render(<Header />);
  await userEvent.click(startButton());
  expect(asked).toEqual([{ name: 'capture.start', input: { source: 'window:1' } }]);
});

test.each(['starting', 'live', 'stalled', 'reconnecting'] as const)('%s offers Stop', async (state) => {
  const session: SessionState = {
    state,
    source: captured,
    since: 0,
    stalledSince: 0,
    attempt: 1,
    reason: failed.error,
  };
  const asked = connectStudio(studioState({ session }));
  render(<Header />);
  await userEvent.click(screen.getByRole('button', { name: 'Stop streaming' }));
  expect(asked.map(({ name }) => name)).toEqual(['capture.stop']);
});
