import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Source, type StatusDocument } from '../src/contract/index.ts';
import { FLASH_AND_BEEP, skews } from '../test/support/av-sync.ts';
import { expectCleanClip, streamsOf } from '../test/support/media.ts';
import { type RunningStudio, expectProblem, startStudio } from '../test/support/studio.ts';
import { until } from '../test/support/wait.ts';

const VIDEO = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '30'];
const AAC = ['-c:a', 'aac', '-b:a', '96k'];
/** one AAC frame at 48 kHz */
const FRAME_SECONDS = 1024 / 48_000;

const addressOf = (studio: RunningStudio, key: string): string => (studio.rtmp ?? '').replace(/[^/]+$/, key);

function publish(address: string, codecs: readonly string[] = [...VIDEO, ...AAC]): ChildProcess {
  const args = ['-nostdin', '-v', 'error', ...FLASH_AND_BEEP, ...codecs, '-f', 'flv', address];
  const child = spawn('ffmpeg', args, { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const publisherOn = (studio: RunningStudio, path: string): Promise<StatusDocument> =>
  until(
    `a publisher on ${path}`,
    10_000,
    () => studio.status(),
    ({ rtmp }) => rtmp.publishers.some((peer) => peer.path === path),
  );

const sourcesOf = async (studio: RunningStudio): Promise<Source[]> =>
  z.array(Source).parse((await studio.api('GET', '/api/sources')).body);

test('a publisher is listed, chosen, live, saved clean and at the live address; it leaves and comes back as a new epoch', async () => {
  const studio = await startStudio();
  const address = addressOf(studio, 'phone');
  const first = publish(address);
  await publisherOn(studio, '/live/phone');
  const listed = (await sourcesOf(studio)).find(({ id }) => id === 'rtmp:phone');
  expect(listed).toMatchObject({ kind: 'rtmp', available: true, name: 'ffmpeg on /live/phone' });
  const started = performance.now();
  await studio.start('rtmp:phone');
  await studio.reaches('live', 10_000);
  const liveMs = performance.now() - started;
  const { source, health } = await until(
    'the figures',
    15_000,
    () => studio.status(),
    (status) => status.source?.fps !== undefined && (status.health.fps ?? 0) > 25 && status.replay.liveSeconds > 4,
  );
  expect(source).toMatchObject({ id: 'rtmp:phone', kind: 'rtmp', codec: 'h264', width: 320, height: 180 });
  expect(health.problems.filter(({ code }) => code.startsWith('input-'))).toEqual([]);
  // the relay carries it, and is no source itself
  const { rtmp } = await publisherOn(studio, '/live/test');
  expect(rtmp.publishers.find(({ path }) => path === '/live/test')?.own).toBe(true);
  expect(rtmp.readers.map(({ path, own }) => [path, own])).toContainEqual(['/live/phone', true]);
  expect((await sourcesOf(studio)).filter(({ kind }) => kind === 'rtmp').map(({ id }) => id)).toEqual(['rtmp:phone']);
  expect((await streamsOf(addressOf(studio, 'test'))).map(({ codec_name: name }) => name).sort()).toEqual([
    'aac',
    'h264',
  ]);

  await killed(first);
  const { replay: held } = await studio.reaches('reconnecting', 5000);
  expect(held.secondsHeld).toBeGreaterThan(4);
  publish(address);
  await publisherOn(studio, '/live/phone');
  const back = performance.now();
  await studio.reaches('live', 10_000);
  const backMs = performance.now() - back;
  process.stdout.write(
    `measured: live ${Math.round(liveMs)} ms after Start, ${Math.round(backMs)} ms after the publisher was back\n`,
  );
  expect(backMs).toBeLessThan(1500);
  await until(
    'three seconds of it',
    10_000,
    () => studio.status(),
    ({ replay }) => replay.epochs.length === 2 && replay.liveSeconds > 3,
  );
  const { clips } = await studio.save({ from: 0 });
  expect(clips).toHaveLength(2);
  for (const clip of clips) {
    await expectCleanClip(clip.path);
    const found = await skews(clip.path);
    process.stdout.write(
      `measured: sound after picture ${found.map((s) => `${Math.round(s * 1000)} ms`).join(', ')}\n`,
    );
    expect(found.length).toBeGreaterThan(1);
    for (const skew of found) expect(Math.abs(skew)).toBeLessThan(FRAME_SECONDS + 0.001);
  }
});

test('chosen before anybody publishes it waits; sound that is no AAC is encoded', async () => {
  const studio = await startStudio();
  expect((await studio.start('rtmp:studio-2')).state).toBe('starting');
  publish(addressOf(studio, 'studio-2'), [...VIDEO, '-c:a', 'libmp3lame', '-ar', '44100']);
  await studio.reaches('live', 10_000);
  await studio.holds(2);
  const { clips } = await studio.save({ from: 0 });
  expect(clips).toHaveLength(1);
  const names = (await streamsOf(clips[0]?.path ?? '')).map(({ codec_name: name }) => name);
  expect(names.sort()).toEqual(['aac', 'h264']);
  await studio.stopCapture();
  expect(await sourcesOf(studio)).toContainEqual(expect.objectContaining({ id: 'rtmp:studio-2' }));
});

test('what is no H.264 is told in a sentence; a publisher on the live key is the live address itself', async () => {
  const studio = await startStudio();
  const wrong = publish(addressOf(studio, 'old'), ['-c:v', 'flv1', ...AAC]);
  await publisherOn(studio, '/live/old');
  await studio.start('rtmp:old');
  const { health } = await until(
    'the problem',
    10_000,
    () => studio.status(),
    (status) => status.health.problems.some(({ code }) => code === 'input-unreadable'),
  );
  expect(health.problems.find(({ code }) => code === 'input-unreadable')?.message).toMatch(/flv1, not H\.264/);
  await killed(wrong);

  publish(addressOf(studio, 'test'));
  await publisherOn(studio, '/live/test');
  const { title, detail } = expectProblem(
    await studio.api('POST', '/api/capture/start', { source: 'test-pattern' }),
    409,
    'publisher-busy',
  );
  expect(title).toMatch(/Lavf.*\/live\/test/);
  expect(detail).toContain('rtmp:test');
  await studio.start('rtmp:test');
  await studio.reaches('live', 10_000);
  await studio.holds(3);
  const { rtmp, replay, health: after } = await studio.status();
  expect(rtmp.publishers.map(({ path }) => path)).toEqual(['/live/test']);
  expect(replay.epochs).toHaveLength(1);
  expect(after.problems.filter(({ code }) => code.startsWith('input-') || code.startsWith('rtmp-'))).toEqual([]);
});
