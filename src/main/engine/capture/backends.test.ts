import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { CaptureBackend } from './backend.ts';
import { systemBackends } from './backends.ts';

const FFMPEG = {
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffprobe',
  version: '5.1.9',
  devices: new Set(['x11grab', 'v4l2']),
  encoders: new Set<string>(),
};

function backendsOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): CaptureBackend[] {
  const backends = systemBackends(platform, env, pino({ level: 'silent' }));
  onTestFinished(async () => {
    await Promise.all(backends.map(async (backend) => backend.close()));
  });
  return backends;
}

test.each([
  ['linux', { DISPLAY: ':0' }, ['x11', 'v4l2']],
  ['linux', { DISPLAY: ':0', WAYLAND_DISPLAY: 'wayland-0' }, ['x11', 'wayland', 'v4l2']],
  ['linux', {}, ['v4l2']],
  ['darwin', {}, ['avfoundation']],
  ['win32', {}, ['windows']],
  ['freebsd', { DISPLAY: ':0' }, []],
] as const)('on %s with %o it is %o', (platform, env, names) => {
  expect(backendsOf(platform, env).map(({ name }) => name)).toEqual(names);
});

test('a Wayland desktop is told what of it cannot be captured, and what to do', async () => {
  const wayland = backendsOf('linux', { WAYLAND_DISPLAY: 'wayland-0' }).find(({ name }) => name === 'wayland');
  const signal = new AbortController().signal;
  const [source] = (await wayland?.list(signal, async () => Promise.resolve(FFMPEG))) ?? [];
  expect(source).toMatchObject({ available: false, reason: expect.stringContaining('Proton') as unknown });
  if (!wayland || !('open' in wayland) || !source) throw new Error('no notice');
  expect(wayland.owns(source.id)).toBe(true);
  await expect(wayland.open(source, FFMPEG, () => undefined, signal)).rejects.toMatchObject({
    code: 'source-unavailable',
  });
});

test('whose screens and windows are whose is clear: one backend of a system owns an id', () => {
  for (const [platform, ids] of [
    ['linux', ['window:0x1c00007', 'screen:0', 'region:0:1,2,30x40', 'camera:/dev/video0']],
    ['darwin', ['window:0x4d', 'screen:1', 'region:1:1,2,30x40', 'camera:FaceTime HD Camera']],
    ['win32', ['window:0x6048e', 'screen:0', 'region:0:1,2,30x40', 'camera:@device_pnp_x']],
  ] as const) {
    const backends = backendsOf(platform, { DISPLAY: ':0', WAYLAND_DISPLAY: 'w' });
    for (const id of ids)
      expect(
        backends.filter((backend) => backend.owns(id)),
        id,
      ).toHaveLength(1);
  }
});
