import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { expectCleanClip, expectColour, streamsOf } from '../test/support/media.ts';
import { run } from '../test/support/processes.ts';
import { GREEN, published, streamGame } from '../test/support/game.ts';
import { until } from '../test/support/wait.ts';
import { endChild, startXvfb, type Xvfb } from '../test/support/xvfb.ts';

const PYTHON = process.env['PITWALL_PYTHON'] ?? '/usr/bin/python3';
const OPENCV_READER = join(import.meta.dirname, '../test/support/opencv_reader.py');

const Read = z.object({ opened: z.boolean(), openSeconds: z.number(), frames: z.int(), middle: z.int().nullable() });

let screen: Xvfb;

beforeAll(async () => {
  screen = await startXvfb({ width: 1280, height: 800 });
});
afterAll(async () => screen.stop());

type Packets = {
  readonly video: readonly number[];
  readonly audio: readonly number[];
  /** lines that are no packet with a time */
  readonly odd: readonly string[];
  running(): boolean;
  /** Resolves once `count` more packets of both streams arrived. */
  more(count: number, ms: number): Promise<void>;
};

/** A reader that stays: ffprobe printing the timestamps as they come over the wire, uncorrected. */
function readPackets(address: string): Packets {
  const child = spawn(
    'stdbuf',
    [
      ...['-oL', 'ffprobe', '-v', 'error', '-show_packets', '-show_entries', 'packet=codec_type,dts_time'],
      ...['-of', 'csv=p=0', address],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => endChild(child));
  const video: number[] = [];
  const audio: number[] = [];
  const odd: string[] = [];
  createInterface(child.stdout).on('line', (line) => {
    const [, kind, seconds] = /^(video|audio),(\d+\.\d+)(?:,New Extradata)?$/.exec(line) ?? [];
    if (kind === undefined) odd.push(...(line === '' ? [] : [line]));
    else (kind === 'video' ? video : audio).push(Number(seconds));
  });
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    video,
    audio,
    odd,
    running,
    async more(count, ms) {
      const [pictures, sounds] = [video.length + count, audio.length + count];
      await until(
        `${count} more packets`,
        ms,
        () => ({ running: running(), video: video.length, audio: audio.length }),
        (now) => !now.running || (now.video >= pictures && now.audio >= sounds),
      );
      expect(running(), 'the reader is still connected').toBe(true);
    },
  };
}

/** Places where a stream's time goes back, `[index, from, to]`. */
const backward = (times: readonly number[]): [number, number, number][] =>
  times.flatMap((time, index): [number, number, number][] => {
    const before = times[index - 1];
    return before !== undefined && time < before ? [[index, before, time]] : [];
  });

const longestGap = (times: readonly number[]): number =>
  Math.max(...times.map((time, index) => time - (times[index - 1] ?? time)));

test('ffprobe finds H.264 and AAC at the right size', async () => {
  const { address } = await streamGame(screen.display);
  const streams = await streamsOf(address);
  expect(streams).toHaveLength(2);
  expect(streams.find(({ codec_type: type }) => type === 'video')).toMatchObject({
    codec_name: 'h264',
    width: 640,
    height: 360,
  });
  expect(streams.find(({ codec_type: type }) => type === 'audio')).toMatchObject({ codec_name: 'aac' });
});

test('OpenCV opens it and reads the colour of the window', async () => {
  const { studio, address } = await streamGame(screen.display);
  const ran = await run(PYTHON, [OPENCV_READER, address, '30'], { timeoutMs: 30_000 });
  const read = Read.parse(JSON.parse(ran.stdout.toString('utf8')));
  process.stdout.write(`measured: OpenCV opened the stream in ${read.openSeconds.toFixed(2)} s\n`);
  expect(read).toMatchObject({ opened: true, frames: 30 });
  expect(read.openSeconds).toBeLessThan(10);
  expectColour(read.middle ?? 0, GREEN, 'the middle of the picture');
  await until(
    'the reader to be gone',
    5000,
    () => studio.status(),
    ({ rtmp }) => rtmp.readers.length === 0,
  );
});

test('a reader stays connected while the window is resized and ffmpeg is killed; time never goes back', async () => {
  const { studio, game, address } = await streamGame(screen.display);
  const reader = readPackets(address);
  await reader.more(40, 15_000);
  expect((await studio.status()).rtmp.readers).toHaveLength(1);

  await game.resize(800, 450);
  await until(
    'a second epoch',
    8000,
    () => studio.status(),
    ({ replay }) => replay.epochs.length === 2,
  );
  await reader.more(60, 10_000);
  const victim = studio.ffmpeg();
  process.kill(victim, 'SIGKILL');
  await until(
    'a third epoch',
    10_000,
    () => studio.status(),
    ({ replay }) => replay.epochs.length === 3,
  );
  await reader.more(60, 10_000);

  expect(reader.odd).toEqual([]);
  expect({ video: backward(reader.video), audio: backward(reader.audio) }).toEqual({ video: [], audio: [] });
  process.stdout.write(
    `measured: longest gap in the reader's timestamps ${longestGap(reader.video).toFixed(2)} s of video, ${longestGap(reader.audio).toFixed(2)} s of audio\n`,
  );
  // the reader's clock followed ours: what it missed is a gap, not a jump
  expect(longestGap(reader.video)).toBeLessThan(5);
  expect((await studio.status()).rtmp.readers).toHaveLength(1);
});

test('the RTMP server is killed: back within five seconds, the replay without a gap', async () => {
  const { studio } = await streamGame(screen.display);
  const before = await studio.holds(2);
  const [host] = studio.processes().filter(({ command }) => command.includes('rtmp-host.js'));
  if (!host) throw new Error('no RTMP server process');
  const killedAt = performance.now();
  process.kill(host.pid, 'SIGKILL');
  await until(
    'it to be noticed',
    3000,
    () => studio.status(),
    ({ rtmp }) => rtmp.publishers.length === 0,
  );
  await published(studio, 5000);
  const backMs = performance.now() - killedAt;
  process.stdout.write(`measured: publisher back ${Math.round(backMs)} ms after the RTMP server was killed\n`);
  expect(backMs).toBeLessThan(5000);
  const back = await studio.status();
  expect(back.rtmp.url).toBe(studio.rtmp);
  expect(back.state).toBe('live');

  const after = await studio.holds(back.replay.secondsHeld + 2);
  expect(after.replay.epochs).toHaveLength(1);
  const elapsed = (performance.now() - killedAt) / 1000;
  expect(after.replay.secondsHeld - before.replay.secondsHeld).toBeGreaterThan(elapsed - 1);
  const { clips } = await studio.save({ seconds: 60 });
  expect(clips).toHaveLength(1);
  for (const clip of clips) await expectCleanClip(clip.path);
  if (studio.rtmp === null) throw new Error('no live address');
  expect(await streamsOf(studio.rtmp)).toHaveLength(2);
});
