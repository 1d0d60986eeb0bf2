import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_AUDIO, type AudioDevice, type AudioSettings } from '../../../contract/index.ts';
import type { AudioDevices, DeviceList } from './devices.ts';
import { Sound } from './sound.ts';

const GAME: AudioDevice = { id: 'game', name: 'Game', role: 'desktop', isDefault: true };
const OTHER: AudioDevice = { id: 'other', name: 'Other', role: 'desktop', isDefault: false };
const HEADSET: AudioDevice = { id: 'headset', name: 'Headset', role: 'microphone', isDefault: true };

describe('the sound of a capture', () => {
  let now = 0;
  beforeEach(() => {
    now = 1000;
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  /** A sound part whose devices never deliver anything: there is no ffmpeg to read them. */
  const make = (
    devices: AudioDevice[],
    audio: Partial<AudioSettings> = {},
  ): {
    sound: Sound;
    otherPlan: ReturnType<typeof vi.fn>;
    become: (next: Partial<DeviceList>) => void;
    choose: (next: Partial<AudioSettings>) => void;
  } => {
    let list: DeviceList = { unavailable: null, devices, playing: [] };
    let changed: () => void = () => undefined;
    let settings: AudioSettings = { ...DEFAULT_AUDIO, ...audio };
    const fake: AudioDevices = {
      get list() {
        return list;
      },
      start: (onChange) => {
        changed = onChange;
        onChange();
      },
      input: () => [],
      stamped: false,
      env: {},
      close: async () => Promise.resolve(),
    };
    const otherPlan = vi.fn();
    const sound = new Sound({
      devices: fake,
      tools: { get: async () => Promise.reject(new Error('none')) },
      log: pino({ level: 'silent' }),
      settings: () => settings,
      clock: () => now,
      now: () => now,
      onChange: () => undefined,
      onOtherPlan: otherPlan,
    });
    return {
      sound,
      otherPlan,
      become: (next: Partial<DeviceList>) => {
        list = { ...list, ...next };
        changed();
      },
      choose: (next: Partial<AudioSettings>) => {
        settings = { ...settings, ...next };
        sound.settingsChanged();
      },
    };
  };

  const run = (sound: Sound, seconds: number): void => {
    for (const end = now + seconds; now < end - 1e-9;) {
      now += 0.02;
      vi.advanceTimersByTime(20);
    }
    expect(sound.state.tracks.length).toBeGreaterThan(0);
  };

  it('is silence where there is nothing to hear, and another plan once there is', async () => {
    const { sound, otherPlan, become } = make([]);
    await sound.start();
    expect(sound.plan().live).toBeUndefined();
    become({ devices: [GAME] });
    expect(otherPlan).toHaveBeenCalledOnce();
    expect(sound.plan().tracks.map(({ title }) => title)).toEqual(['Desktop']);
  });

  it('is a mix and two tracks with a microphone; another device is no other plan, another offset is', async () => {
    const { sound, otherPlan, choose } = make([GAME, OTHER, HEADSET]);
    await sound.start();
    sound.plan().live?.feed(new PassThrough().resume());
    choose({ desktop: { enabled: true, device: { id: 'other', name: 'Other' } } });
    expect(otherPlan).not.toHaveBeenCalled();
    expect(sound.state.tracks).toMatchObject([{ role: 'desktop', device: 'Other' }]);
    choose({ microphone: { enabled: true, device: null } });
    expect(otherPlan).toHaveBeenCalledOnce();
    expect(sound.plan().tracks.map(({ title }) => title)).toEqual(['Mix', 'Desktop', 'Microphone']);
    choose({ offsetMs: 50 });
    expect(otherPlan).toHaveBeenCalledTimes(2);
  });

  it('tells of ten seconds of digital silence, and where something plays instead', async () => {
    const { sound, become } = make([GAME, OTHER]);
    await sound.start();
    sound.plan().live?.feed(new PassThrough().resume());
    run(sound, 9);
    expect(sound.problems).toEqual([]);
    become({ playing: ['other'] });
    run(sound, 2);
    expect(sound.problems).toMatchObject([{ code: 'no-sound' }]);
    expect(sound.problems[0]?.message).toContain('"Game"');
    expect(sound.problems[0]?.remedy).toContain('"Other"');
  });

  it('tells of a device that went, keeps its track, and takes it again under another id', async () => {
    const { sound, become, otherPlan } = make([GAME, HEADSET], {
      microphone: { enabled: true, device: { id: 'headset', name: 'Headset' } },
    });
    await sound.start();
    sound.plan().live?.feed(new PassThrough().resume());
    become({ devices: [GAME] });
    expect(sound.problems).toMatchObject([{ code: 'audio-device-lost' }]);
    expect(sound.problems[0]?.message).toContain('"Headset"');
    become({ devices: [GAME, { ...HEADSET, id: 'headset.2' }] });
    expect(sound.problems).toEqual([]);
    expect(otherPlan).not.toHaveBeenCalled();
  });
});
