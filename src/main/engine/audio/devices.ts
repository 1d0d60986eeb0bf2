import type { AudioDevice, AudioPick, AudioRole } from '../../../contract/index.ts';

/** What can be captured at present. */
export type DeviceList = {
  /** why nothing can be captured at all, with what to do; null when something can, or when it is not known yet */
  unavailable: string | null;
  devices: readonly AudioDevice[];
  /** ids of the devices that hear something at present, where the system tells */
  playing: readonly string[];
};

/** The sound devices of one system. */
export interface AudioDevices {
  readonly list: DeviceList;
  /** Starts to watch; `onChange` after every change of the list. Never rejects. */
  start(onChange: () => void): void;
  /** ffmpeg's input options and input for a device. */
  input(device: AudioDevice): readonly string[];
  /** `input` stamps what it delivers with the time of day it was heard at */
  readonly stamped: boolean;
  /** environment of an ffmpeg that reads a device */
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** The device a pick means now: by its id, then by its name, and the system's default when it names none. */
export function resolvePick(
  pick: AudioPick,
  role: AudioRole,
  devices: readonly AudioDevice[],
): AudioDevice | undefined {
  const wanted = pick.device;
  if (wanted) {
    return devices.find(({ id }) => id === wanted.id) ?? devices.find(({ name }) => name === wanted.name);
  }
  const ofRole = devices.filter((device) => device.role === role);
  return ofRole.find(({ isDefault }) => isDefault) ?? ofRole[0];
}
