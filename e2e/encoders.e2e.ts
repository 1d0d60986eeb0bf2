/** Encoders: HEVC of our own, one that breaks before and while it runs, one that this computer has not, and what each leaves untouched. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { StatusDocument } from '../src/contract/index.ts';
import { expectCleanClip } from '../test/support/media.ts';
import { scratch, startStudio, type RunningStudio } from '../test/support/studio.ts';
import { until } from '../test/support/wait.ts';
import { startProgramWindow } from '../test/support/program-window.ts';
import { startXvfb, type Xvfb } from '../test/support/xvfb.ts';

let screen: Xvfb;
beforeAll(async () => {
  screen = await startXvfb({ width: 1000, height: 700 });
});
afterAll(() => screen.stop());

/**
 * A double of ffmpeg that is the real one, except that x265 does not open while `broken` says so: it prints what a failing encoder prints and
 * ends. It stands for a driver that goes away, which no computer without a graphics card can show.
 */
function ffmpegDouble(): { env: NodeJS.ProcessEnv; setBroken: (broken: boolean) => void } {
  const place = scratch();
  onTestFinished(() => place.remove());
  mkdirSync(place.folder, { recursive: true });
  const flag = join(place.folder, 'broken');
  const said = 'Error initializing output stream 0:0 -- Error while opening encoder for output stream #0:0';
  for (const name of ['ffmpeg', 'ffprobe']) {
    const file = join(place.folder, name);
    writeFileSync(
      file,
      `#!/bin/sh\ncase " $* " in *" -c:v libx265 "*) [ -e '${flag}' ] && { echo '${said}' >&2; exit 1; } ;; esac\nexec /usr/bin/env ${name} "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
  return {
    env: { FFMPEG_PATH: join(place.folder, 'ffmpeg') },
    setBroken: (broken) => {
      if (broken) writeFileSync(flag, '');
      else if (existsSync(flag)) rmSync(flag);
    },
  };
}

const begin = async (
  studio: RunningStudio,
  source: string,
  wish: Record<string, unknown> = {},
): Promise<StatusDocument> => {
  const answer = await studio.api('POST', '/api/capture/start', { source, ...wish });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return studio.status();
};
const codes = ({ health }: StatusDocument): string[] => health.problems.map(({ code }) => code);

test('x265 captures a window; the live address says it does not carry it; the clip is whole', async () => {
  const window = startProgramWindow({
    display: screen.display,
    title: 'Assetto Corsa',
    picture: 'testsrc2=size=640x360:rate=30',
  });
  onTestFinished(() => window.stop());
  const studio = await startStudio({ display: screen.display });
  await until('the window to be listed', 5000, async () =>
    JSON.stringify((await studio.api('GET', '/api/sources')).body).includes('Assetto'),
  );
  const live = await begin(studio, 'window:assetto', { encoder: 'libx265', pictureSize: '480p' });
  expect(live.source).toMatchObject({ codec: 'hevc', encoder: 'libx265' });
  expect(live.source?.priority).toMatch(/^(raised|normal)/);
  expect(codes(live)).toContain('rtmp-not-carried');
  await studio.holds(2.5);
  const { clips } = await studio.save({ seconds: 2 });
  expect(clips.map(({ codec }) => codec)).toEqual(['hevc']);
  await expectCleanClip(clips[0]?.path ?? '');
  expect(await begin(studio, 'window:assetto', { codec: 'h264' })).toMatchObject({ source: { codec: 'h264' } });
  expect(codes(await studio.status())).not.toContain('rtmp-not-carried');
});

test('an encoder that breaks is replaced by itself, before the first picture and while it runs, and the ring is kept', async () => {
  const { env, setBroken } = ffmpegDouble();
  const studio = await startStudio({ env });
  await begin(studio, 'test-pattern');
  await studio.holds(1.5);
  const before = (await studio.status()).replay.secondsHeld;

  setBroken(true);
  const replaced = await begin(studio, 'test-pattern', { encoder: 'libx265' });
  expect(replaced).toMatchObject({ state: 'live', source: { encoder: 'libx264', codec: 'h264' } });
  expect(codes(replaced)).toContain('encoder-fallback');
  expect(replaced.health.problems.find(({ code }) => code === 'encoder-fallback')?.message).toBe(
    'x265 could not encode the picture. x264 encodes in its place.',
  );
  expect(replaced.replay.secondsHeld).toBeGreaterThanOrEqual(before);

  await studio.stopCapture();
  setBroken(false);
  expect(await begin(studio, 'test-pattern', { codec: 'hevc' })).toMatchObject({ source: { encoder: 'libx265' } });
  await studio.holds(before + 1.5);
  const held = (await studio.status()).replay.secondsHeld;
  setBroken(true);
  const from = performance.now();
  process.kill(studio.ffmpeg(), 'SIGKILL');
  await until('x264 to be live', 5000, async () => {
    const { state, source } = await studio.status();
    return state === 'live' && source?.encoder === 'libx264';
  });
  expect(performance.now() - from).toBeLessThan(1500);
  expect((await studio.status()).replay.secondsHeld).toBeGreaterThanOrEqual(held);
  expect(codes(await studio.status())).toContain('encoder-fallback');
  const { clips } = await studio.save({ seconds: 600 });
  expect(clips.map(({ codec }) => codec)).toContain('hevc');
  for (const { path } of clips) await expectCleanClip(path);
});

test('a graphics card’s encoder that is not there gives way to x264 within a second, and says so', async () => {
  const studio = await startStudio();
  const from = performance.now();
  const live = await begin(studio, 'test-pattern', { encoder: 'h264_vaapi' });
  if (live.source?.encoder === 'h264_vaapi') return; // it is there
  expect(performance.now() - from).toBeLessThan(3000);
  expect(live).toMatchObject({ state: 'live', source: { encoder: 'libx264' } });
  expect(codes(live)).toContain('encoder-fallback');

  const first = studio.ffmpeg();
  const killed = performance.now();
  process.kill(first, 'SIGKILL');
  await until('another ffmpeg to be live', 5000, async () => {
    const { state } = await studio.status();
    return (
      state === 'live' && studio.processes().some(({ pid, command }) => pid !== first && command.includes('pipe:3'))
    );
  });
  expect(performance.now() - killed).toBeLessThan(1500);
});
