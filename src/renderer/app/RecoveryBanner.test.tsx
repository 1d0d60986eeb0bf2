import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { receiveStateEvent } from '../store/store.ts';
import { connectStudio, studioState } from '../test/studio.ts';
import { RecoveryBanner } from './RecoveryBanner.tsx';

const recovery = { seconds: 94.9, from: 1000, to: 1094.9, bytes: 50 * 1024 * 1024 };

test('nothing was left: nothing is said', () => {
  connectStudio(studioState());
  const { container } = render(<RecoveryBanner />);
  expect(container).toBeEmptyDOMElement();
});

test('says how much can be saved, and saves it', async () => {
  const asked = connectStudio(studioState({ recovery }));
  render(<RecoveryBanner />);
  expect(screen.getByRole('status')).toHaveTextContent('Pitwall ended unexpectedly: the last 1:34 can be saved.');
  await userEvent.click(screen.getByRole('button', { name: 'Save what was recovered' }));
  expect(asked).toEqual([{ name: 'recovery.save', input: undefined }]);
});

test('Discard asks first; Cancel keeps it', async () => {
  const asked = connectStudio(studioState({ recovery }));
  render(<RecoveryBanner />);
  const discard = () => userEvent.click(screen.getByRole('button', { name: 'Discard what was recovered' }));
  await discard();
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  expect(asked).toEqual([]);
  await discard();
  await userEvent.click(screen.getByRole('button', { name: 'Discard it' }));
  expect(asked).toEqual([{ name: 'recovery.discard', input: undefined }]);
});

test('goes when a delta says that nothing is left', async () => {
  connectStudio(studioState({ recovery }));
  const { container } = render(<RecoveryBanner />);
  receiveStateEvent({ type: 'delta', revision: 2, changed: { recovery: null } }, Date.now());
  await expect.poll(() => container).toBeEmptyDOMElement();
});
