import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';
import { App } from '../app/App.tsx';
import { DEFAULT_SETTINGS } from '../../contract/settings.ts';
import type { RtmpPeer, RtmpStatus } from '../../contract/rtmp.ts';
import type { PushStatus } from '../../contract/push.ts';
import { openDialog } from '../store/store.ts';
import { connectStudio, studioState } from '../test/studio.ts';
import { StreamDialog } from './StreamDialog.tsx';

const URL = 'rtmp://127.0.0.1:1935/live/test';
const peer: RtmpPeer = { id: 'p', path: '/live/test', address: '127.0.0.1', since: 0, own: true };
const up: Extract<RtmpStatus, { state: 'up' }> = { state: 'up', url: URL, publishers: [peer], readers: [] };
const target: PushStatus = {
  id: 'push-1',
  name: 'Twitch',
  url: 'rtmp://live.twitch.tv/app',
  enabled: false,
  hasKey: true,
  state: 'off',
  since: 0,
  attempt: 0,
  kbps: null,
  skips: 0,
};

beforeEach(() => {
  Object.defineProperty(window, 'isSecureContext', { value: true, configurable: true });
});

test('the pill in the header opens the texts, and each has its own button to copy it', async () => {
  connectStudio(studioState({ rtmp: up }));
  const user = userEvent.setup();
  render(<App />);
  await user.click(screen.getByRole('button', { name: /live\/test.*no readers/ }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Live stream' }));
  await user.click(dialog.getByRole('button', { name: 'Copy: Python with OpenCV' }));
  expect(await navigator.clipboard.readText()).toContain(`cv2.VideoCapture("${URL}", cv2.CAP_FFMPEG)`);
  await dialog.findByText('Copied');
  for (const title of ['Address', 'Python with PyAV', 'ffplay', 'mpv', 'VLC'])
    expect(dialog.getByRole('button', { name: `Copy: ${title}` })).toBeInTheDocument();
});

test('the play key is shown on demand only, and copied always', async () => {
  connectStudio(studioState({ rtmp: up, settings: { ...DEFAULT_SETTINGS, playKey: 'secret-1' } }));
  const user = userEvent.setup();
  render(<StreamDialog tab="use" />);
  expect(document.body.textContent).not.toContain('secret-1');
  await user.click(screen.getByRole('button', { name: 'Copy: Address' }));
  expect(await navigator.clipboard.readText()).toBe(`${URL}?key=secret-1`);
  await user.click(screen.getByRole('button', { name: 'Show the key' }));
  expect(document.body.textContent).toContain(`${URL}?key=secret-1`);
  await user.click(screen.getByRole('button', { name: 'Hide the key' }));
  expect(document.body.textContent).not.toContain('secret-1');
});

test('where the browser gives no clipboard, the whole text is selected', async () => {
  Object.defineProperty(window, 'isSecureContext', { value: false, configurable: true });
  connectStudio(studioState({ rtmp: up, settings: { ...DEFAULT_SETTINGS, playKey: 'secret-1' } }));
  const user = userEvent.setup();
  render(<StreamDialog tab="use" />);
  await user.click(screen.getByRole('button', { name: 'Copy: Address' }));
  await screen.findByText('Selected: press Ctrl+C');
  await vi.waitFor(() => expect(window.getSelection()?.toString()).toBe(`${URL}?key=secret-1`));
});

test('publishers and readers are listed, ours as this studio', () => {
  const reader: RtmpPeer = { ...peer, id: 'r', own: false, client: 'LNX 9,0,124,2', kbps: 3000, skippedGops: 3 };
  connectStudio(studioState({ rtmp: { ...up, readers: [reader] } }));
  render(<StreamDialog tab="peers" />);
  const publishers = within(screen.getByRole('region', { name: 'Publishers' }));
  expect(publishers.getAllByRole('listitem')).toHaveLength(1);
  publishers.getByText('This studio');
  const readers = within(screen.getByRole('region', { name: 'Readers' }));
  expect(readers.getByRole('listitem')).toHaveTextContent('3 stretches skipped');
});

test('a server is added: the service fills the address, the key is a password', async () => {
  const asked = connectStudio(studioState());
  openDialog({ kind: 'stream', tab: 'push' });
  const user = userEvent.setup();
  render(<StreamDialog tab="push" />);
  await user.click(screen.getByRole('button', { name: 'Add a server' }));
  await user.click(screen.getByRole('button', { name: 'Add' }));
  expect(screen.getByLabelText('Name')).toBeInvalid();
  expect(asked).toEqual([]);
  await user.click(screen.getByRole('button', { name: 'Twitch' }));
  const key = screen.getByLabelText('Stream key');
  expect(key).toHaveAttribute('type', 'password');
  await user.type(key, 'live_123{Enter}');
  expect(asked).toEqual([
    { name: 'push.set', input: { name: 'Twitch', url: 'rtmp://live.twitch.tv/app', key: 'live_123' } },
  ]);
});

test('a server is switched on, edited without touching its key, and deleted after a question', async () => {
  const asked = connectStudio(studioState({ push: [target] }));
  const user = userEvent.setup();
  render(<StreamDialog tab="push" />);
  await user.click(screen.getByRole('switch', { name: 'Push to Twitch' }));
  expect(asked).toEqual([{ name: 'push.enable', input: { id: 'push-1', enabled: true } }]);
  await user.click(screen.getByRole('button', { name: 'Edit Twitch' }));
  const name = screen.getByLabelText('Name');
  await user.clear(name);
  await user.type(name, 'My channel');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(asked[1]).toEqual({
    name: 'push.set',
    input: { id: 'push-1', name: 'My channel', url: 'rtmp://live.twitch.tv/app' },
  });
});

test('deleting asks first', async () => {
  const asked = connectStudio(studioState({ push: [target] }));
  const user = userEvent.setup();
  render(<StreamDialog tab="push" />);
  await user.click(screen.getByRole('button', { name: 'Delete Twitch' }));
  expect(asked).toEqual([]);
  await user.click(await screen.findByRole('button', { name: 'Delete the server' }));
  expect(asked).toEqual([{ name: 'push.delete', input: { id: 'push-1' } }]);
});

test('why a server is tried again is said with what to do', () => {
  const error = { code: 'push-failed', message: 'Twitch refused the key.', remedy: 'Copy it again.' } as const;
  connectStudio(studioState({ push: [{ ...target, enabled: true, state: 'retrying', attempt: 2, error }] }));
  render(<StreamDialog tab="push" />);
  screen.getByText('Trying again, attempt 2');
  screen.getByText('Twitch refused the key.');
  screen.getByText('Copy it again.');
});
