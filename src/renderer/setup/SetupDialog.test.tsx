import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import type { SetupReport } from '../../contract/setup-test.ts';
import { HelpDialog } from '../help/HelpDialog.tsx';
import { connectStudio, studioState } from '../test/studio.ts';
import { SetupDialog } from './SetupDialog.tsx';

const REPORT: SetupReport = {
  ...{
    version: 1,
    at: 1_790_000_000,
    seconds: 12.4,
    source: 'Assetto Corsa',
    captureFps: 59.8,
    targetFps: 60,
    speed: 1,
  },
  ...{ previewAgeMs: 40, audioOffsetMs: null, diskMbPerSecond: 200, hotkey: false, encoders: [] },
  machine: { platform: 'linux', cpu: 'A processor', cores: 8, memoryMb: 16_000, ffmpeg: '5.1.9' },
  checks: [
    { id: 'capture', result: 'good', message: '59.8 of 60 pictures per second.' },
    { id: 'hotkey', result: 'poor', message: 'F9 is taken.', remedy: 'Choose another key.' },
  ],
  recommendation: {
    ...{ encoder: 'h264_nvenc', pictureSize: '1080p', fps: 60 },
    sentence: '1080p60 with NVENC H.264: 1.9 x headroom',
  },
};

test('starts the test, shows where it is and cancels it', async () => {
  const user = userEvent.setup();
  const asked = connectStudio(studioState({}));
  const { unmount } = render(<SetupDialog />);
  await user.click(screen.getByRole('button', { name: 'Start the test' }));
  expect(asked.map(({ name }) => name)).toEqual(['setup.test']);
  unmount();

  const during = connectStudio(
    studioState({ setupTest: { state: 'running', step: 'Measuring the disk', progress: 0.5 } }),
  );
  render(<SetupDialog />);
  expect(screen.getByRole('status')).toHaveTextContent('Measuring the disk');
  expect(screen.getByRole('progressbar', { name: 'Progress of the test' })).toHaveAttribute('value', '0.5');
  await user.click(screen.getByRole('button', { name: 'Cancel the test' }));
  expect(during.map(({ name }) => name)).toEqual(['setup.cancel']);
});

test('shows what was found with its remedies, and puts the recommendation into the settings', async () => {
  const user = userEvent.setup();
  const asked = connectStudio(
    studioState({ setupTest: { state: 'done', report: REPORT, file: '/data/reports/setup.json' } }),
  );
  render(<SetupDialog />);
  expect(screen.getByRole('status')).toHaveTextContent('1080p60 with NVENC H.264: 1.9 x headroom');
  const [, hotkey] = within(screen.getByRole('list')).getAllByRole('listitem');
  expect(hotkey).toHaveTextContent('HotkeysPoorF9 is taken.Choose another key.'.replace('HotkeysPoor', 'Hotkeys Poor'));
  expect(screen.getByText(/\/data\/reports\/setup\.json/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Use these settings' }));
  expect(asked).toEqual([{ name: 'settings.update', input: { encoder: 'h264_nvenc', pictureSize: '1080p', fps: 60 } }]);
});

test('help begins with what is of this system', () => {
  connectStudio(studioState({}));
  render(<HelpDialog />);
  expect(screen.getByText('The picture is black')).toBeVisible();
  expect(screen.getByText('On other systems')).toBeVisible();
});
