import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AudioDevice, AudioState } from '../../contract/audio.ts';
import { DEFAULT_SETTINGS } from '../../contract/settings.ts';
import { SettingsDialog } from '../settings/SettingsDialog.tsx';
import { resetStudioStore } from '../store/store.ts';
import { connectStudio, studioState } from '../test/studio.ts';
import { SoundLevels } from './SoundLevels.tsx';

const device = (id: string, role: AudioDevice['role'], isDefault = false): AudioDevice => ({
  id,
  name: `Name of ${id}`,
  role,
  isDefault,
});
const audio: AudioState = {
  unavailable: null,
  devices: [device('speakers', 'desktop', true), device('headphones', 'desktop'), device('mic', 'microphone', true)],
  tracks: [
    { role: 'desktop', device: 'Speakers', rmsDb: -20.4, peakDb: -8, silentSince: null },
    { role: 'microphone', device: 'Headset', rmsDb: -120, peakDb: -120, silentSince: 12 },
  ],
};

beforeEach(resetStudioStore);

describe('sound', () => {
  test('shows how loud each track is, or that it is silent, and nothing while nothing is captured', () => {
    connectStudio(studioState());
    const { container, unmount } = render(<SoundLevels />);
    expect(container.textContent).toBe('');
    unmount();
    connectStudio(studioState({ audio }));
    render(<SoundLevels />);
    expect(screen.getByText('Desktop: Speakers').nextElementSibling?.textContent).toBe('-20 dB');
    expect(screen.getByText('Microphone: Headset').nextElementSibling?.textContent).toBe('silent');
  });

  test('is chosen in the settings: devices of each kind, one that is not there, and how much later', async () => {
    const settings = {
      ...DEFAULT_SETTINGS,
      audio: { ...DEFAULT_SETTINGS.audio, desktop: { enabled: true, device: { id: 'old', name: 'Old card' } } },
    };
    const asked = connectStudio(studioState({ audio, settings }));
    render(<SettingsDialog />);
    const desktop = screen.getByLabelText<HTMLSelectElement>('Desktop sound: device');
    expect([...desktop.options].map(({ text }) => text)).toEqual([
      'Default output (Name of speakers)',
      'Old card (not there)',
      'Name of speakers',
      'Name of headphones',
    ]);
    await userEvent.selectOptions(desktop, 'headphones');
    await userEvent.click(screen.getByLabelText('Capture a microphone'));
    expect(screen.getByText(/Both are mixed in the first track/)).toBeTruthy();
    const later = screen.getByLabelText('Sound later by');
    await userEvent.clear(later);
    await userEvent.type(later, '9999');
    expect(screen.getByText(/A number from .2000 to 2000 ms/)).toBeTruthy();
    await userEvent.clear(later);
    await userEvent.type(later, '-40');
    await userEvent.click(screen.getByText('Save settings'));
    expect(asked.at(-1)?.input).toEqual({
      audio: {
        desktop: { enabled: true, device: { id: 'headphones', name: 'Name of headphones' } },
        microphone: { enabled: true, device: null },
        offsetMs: -40,
      },
    });
  });
});
