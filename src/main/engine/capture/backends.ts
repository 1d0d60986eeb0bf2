import type { Log } from '../logging/log.ts';
import type { CaptureBackend } from './backend.ts';
import { v4l2Backend } from './camera/v4l2-backend.ts';
import { macBackend } from './macos/backend.ts';
import { waylandNotice } from './wayland.ts';
import { windowsBackend } from './windows/backend.ts';
import { x11Backend } from './x11-backend.ts';

/** What this system's desktop and cameras are captured with. */
export function systemBackends(platform: NodeJS.Platform, env: NodeJS.ProcessEnv, log: Log): CaptureBackend[] {
  const part = (name: string): Log => log.child({ part: name });
  if (platform === 'darwin') return [macBackend({ log: part('macos') })];
  if (platform === 'win32') return [windowsBackend({ log: part('windows') })];
  if (platform !== 'linux') return [];
  const { DISPLAY: display = '', WAYLAND_DISPLAY: wayland = '' } = env;
  return [
    ...(display === '' ? [] : [x11Backend(display, part('x11'))]),
    ...(wayland === '' ? [] : [waylandNotice()]),
    v4l2Backend({ log: part('v4l2') }),
  ];
}
