import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import type { AudioDevices } from './devices.ts';
import { AVFOUNDATION, DSHOW, ListedDevices } from './listed-devices.ts';
import { PulseDevices } from './pulse-devices.ts';

/** The sound devices of the system we run on. */
export function audioDevices(
  platform: NodeJS.Platform,
  tools: FfmpegTools,
  env: NodeJS.ProcessEnv,
  log: Log,
): AudioDevices {
  if (platform === 'darwin') return new ListedDevices(AVFOUNDATION, tools, env, log);
  if (platform === 'win32') return new ListedDevices(DSHOW, tools, env, log);
  return new PulseDevices({ env, uid: process.getuid?.(), tools, log });
}
