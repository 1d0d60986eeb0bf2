import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import type { EncoderStatus } from '../../contract/encoders.ts';
import { connectStudio, studioState } from '../test/studio.ts';
import { SettingsDialog } from './SettingsDialog.tsx';

const ENCODERS: EncoderStatus[] = [
  {
    id: 'h264_nvenc',
    codec: 'h264',
    hardware: true,
    state: 'failed',
    error: { code: 'encoder-failed', message: 'NVENC H.264 needs an NVIDIA card.', remedy: 'Install its driver.' },
  },
  { id: 'hevc_vaapi', codec: 'hevc', hardware: true, state: 'works', trialFps: 412 },
  { id: 'libx264', codec: 'h264', hardware: false, state: 'works', trialFps: 180 },
  { id: 'libx265', codec: 'hevc', hardware: false, state: 'testing' },
];

test('says which encoders work here, why others do not, and tests them again', async () => {
  const user = userEvent.setup();
  const asked = connectStudio(studioState({ encoders: ENCODERS.filter(({ state }) => state !== 'testing') }));
  render(<SettingsDialog />);
  await user.click(screen.getByText('2 of 3 work on this computer'));
  const list = within(screen.getByRole('list', { name: 'Encoders of this computer' }));
  expect(list.getByText('NVENC H.264 needs an NVIDIA card.')).toBeVisible();
  expect(list.getByText('works: 412 pictures per second at 720p')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Test again' }));
  expect(asked.map(({ name }) => name)).toContain('encoders.test');
});

test('does not count what was not tried as not working', () => {
  connectStudio(studioState({ encoders: ENCODERS }));
  render(<SettingsDialog />);
  expect(screen.getByText('2 of 3 tested so far work, 1 to go')).toBeVisible();
});

test('the automatic choice names what it is now, for the codec chosen', async () => {
  const user = userEvent.setup();
  connectStudio(studioState({ encoders: ENCODERS }));
  render(<SettingsDialog />);
  expect(screen.getByRole('option', { name: 'Automatic (now x264, on the processor)' })).toBeInTheDocument();
  await user.selectOptions(screen.getByLabelText('Codec'), 'hevc');
  expect(screen.getByRole('option', { name: 'Automatic (now VAAPI HEVC (graphics card))' })).toBeInTheDocument();
  await user.selectOptions(screen.getByLabelText('Encoder'), 'h264_nvenc');
  expect(screen.getByText('NVENC H.264 needs an NVIDIA card. Install its driver.')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Testing…' })).toBeDisabled();
});

test('what is chosen is asked of the engine', async () => {
  const user = userEvent.setup();
  const asked = connectStudio(studioState({ encoders: ENCODERS }));
  render(<SettingsDialog />);
  await user.selectOptions(screen.getByLabelText('Frame rate'), '120');
  await user.selectOptions(screen.getByLabelText('Quality'), 'balanced');
  await user.type(screen.getByLabelText('Bitrate'), '6000');
  await user.click(screen.getByRole('checkbox', { name: /Capture before other programs|Priority/ }));
  await user.click(screen.getByRole('button', { name: 'Save settings' }));
  expect(asked).toContainEqual({
    name: 'settings.update',
    input: { fps: 120, quality: 'balanced', bitrateKbps: 6000, raisePriority: false },
  });
});
