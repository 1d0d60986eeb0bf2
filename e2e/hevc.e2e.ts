import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Clip } from '../src/contract/index.ts';
import { clipButtons, expectAccessible, launchChromium, openPage, previewColour } from '../test/support/browser.ts';
import { COLOUR_TOLERANCE, difference, expectColour, pictureOf, streamsOf } from '../test/support/media.ts';
import { type Found, run } from '../test/support/processes.ts';
import { type RunningStudio, expectProblem, startStudio } from '../test/support/studio.ts';
import { until } from '../test/support/wait.ts';

const RED = 0xff0000;
const BLUE = 0x0000ff;
const SIZE = { width: 1280, height: 720 };
/** Seconds of each colour, then the other, for ever. */
const STRETCH = 3;

let folder = '';
let browser: Browser;
/** Red, then blue, 3 s each, a keyframe a second, B-frames, silent AAC; made once by the codec's encoder. */
const files = { h264: '', hevc: '' };
const ENCODERS = {
  // its colours said, because Chromium shows it as it is and takes unsaid ones for BT.709
  h264: [
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '30', '-sc_threshold', '0'],
    ...['-colorspace', 'smpte170m', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
  ],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=30:bframes=3:scenecut=0'],
} as const;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pitwall-hevc-'));
  browser = await launchChromium();
  for (const codec of ['h264', 'hevc'] as const) {
    files[codec] = join(folder, `${codec}.ts`);
    const colour = (name: string): string =>
      `color=${name}:size=${SIZE.width}x${SIZE.height}:rate=30:duration=${STRETCH}`;
    const { code, stderr } = await run(
      'ffmpeg',
      [
        ...['-v', 'error', '-f', 'lavfi', '-i', colour('0xff0000'), '-f', 'lavfi', '-i', colour('0x0000ff')],
        ...['-f', 'lavfi', '-i', `anullsrc=r=48000:cl=stereo:d=${2 * STRETCH}`],
        ...['-filter_complex', '[0:v][1:v]concat,format=yuv420p[v]', '-map', '[v]', '-map', '2:a'],
        ...[...ENCODERS[codec], '-c:a', 'aac', '-shortest', '-f', 'mpegts', files[codec]],
      ],
      { timeoutMs: 60_000 },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes the file into the studio's socket at real time, again and again, until the test ends. */
function startWriter(studio: RunningStudio, codec: keyof typeof files): ChildProcess {
  const socket = join(studio.env['XDG_RUNTIME_DIR'] ?? '', 'pitwall', 'obs_piping_to_buffer.sock');
  const child = spawn(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-re', '-stream_loop', '-1', '-i', files[codec], '-map', '0', '-c', 'copy'],
      ...['-flush_packets', '1', '-f', 'mpegts', `unix:${socket}`],
    ],
    { stdio: 'ignore' },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function startLive(
  codec: keyof typeof files,
  env: NodeJS.ProcessEnv = {},
): Promise<{ studio: RunningStudio; writer: ChildProcess }> {
  const studio = await startStudio({ env });
  await studio.start('obs-pipe');
  const writer = startWriter(studio, codec);
  await studio.reaches('live', 10_000);
  return { studio, writer };
}

/** What encodes; the live address's copy of an H.264 stream does not. */
const encoding = (studio: RunningStudio): Found[] =>
  studio.processes().filter(({ command }) => /ffmpeg.* (-c:v libx264|-f mjpeg) /.test(command));
const transcodes = (studio: RunningStudio): string[] => encoding(studio).map(({ command }) => command);

const noTranscode = (studio: RunningStudio, ms: number): Promise<string[]> =>
  until(
    'no transcode in the studio',
    ms,
    () => transcodes(studio),
    (found) => found.length === 0,
  );

const previewShows = (page: Page, colour: number, ms: number): Promise<number> =>
  until(
    `the preview to show ${colour.toString(16)}`,
    ms,
    () => previewColour(page),
    (shown) => difference(shown, colour) <= COLOUR_TOLERANCE,
  );

test('the preview shows HEVC while somebody watches, and costs nothing when nobody does', async () => {
  const { studio, writer } = await startLive('hevc');
  await studio.holds(2);
  expect(transcodes(studio)).toEqual([]);

  const since = performance.now();
  const page = await openPage(browser, studio.url);
  await previewShows(page, RED, 15_000);
  process.stdout.write(`measured: HEVC seen ${Math.round(performance.now() - since)} ms after opening the page\n`);
  await previewShows(page, BLUE, 8000);
  await previewShows(page, RED, 8000);
  expect(await page.locator('canvas').getAttribute('data-state')).toBe('playing');
  expect(await page.getByText('Preparing the preview').count()).toBe(0);
  await expectAccessible(page, 'an HEVC preview');
  // a second viewer shares it
  const second = await openPage(browser, studio.url);
  await previewShows(second, BLUE, 8000);
  expect(transcodes(studio)).toHaveLength(1);
  await second.close();
  await previewShows(page, RED, 8000);
  expect((await studio.status()).health.problems.filter(({ code }) => code === 'preview-failed')).toEqual([]);

  // the sender changes to H.264: shown as it is, without a transcode
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  const other = startWriter(studio, 'h264');
  await until(
    'a second epoch',
    10_000,
    () => studio.status(),
    ({ replay }) => replay.epochs.some(({ codec }) => codec === 'h264'),
  );
  await noTranscode(studio, 1500);
  await previewShows(page, BLUE, 8000);
  await previewShows(page, RED, 8000);
  other.kill('SIGKILL');
  await once(other, 'exit');
  startWriter(studio, 'hevc');
  await until(
    'the transcode',
    10_000,
    () => transcodes(studio),
    (found) => found.length === 1,
  );
  await previewShows(page, BLUE, 8000);

  await page.close();
  await noTranscode(studio, 1500);
  expect((await studio.status()).state).toBe('live');
});

test('an ffmpeg that dies is started again, and the preview goes on', async () => {
  const { studio } = await startLive('hevc');
  const page = await openPage(browser, studio.url);
  await previewShows(page, RED, 15_000);
  const [before] = encoding(studio);
  process.kill(before?.pid ?? Number.NaN, 'SIGKILL');
  await until(
    'another ffmpeg',
    5000,
    () => encoding(studio),
    ([now]) => now !== undefined && now.pid !== before?.pid,
  );
  await previewShows(page, BLUE, 10_000);
  await previewShows(page, RED, 10_000);
  expect((await studio.status()).health.problems.filter(({ code }) => code === 'preview-failed')).toEqual([]);
});

test('with an ffmpeg that has no libx264, preview and clip say so in a sentence', async () => {
  const ffmpeg = join(folder, 'ffmpeg-without-libx264');
  writeFileSync(
    ffmpeg,
    '#!/bin/sh\ncase " $* " in *" -encoders "*) ffmpeg "$@" | grep -v libx264 ;; *) exec ffmpeg "$@" ;; esac\n',
    { mode: 0o755 },
  );
  const { studio } = await startLive('hevc', { FFMPEG_PATH: ffmpeg });
  await studio.holds(2);
  const page = await openPage(browser, studio.url);
  const preview = page.getByRole('region', { name: 'Preview' });
  await preview.getByText('this ffmpeg has no libx264').waitFor({ timeout: 10_000 });
  expect((await studio.status()).health.problems.map(({ code }) => code)).toContain('preview-failed');
  const { clips } = await studio.save({ seconds: 1 });
  const id = clips[0]?.id ?? '';
  expectProblem(await studio.api('GET', `/api/clips/${id}/preview`), 409, 'ffmpeg-unsuitable');
  await page.context().close();
  await until(
    'the problem to go with the last viewer',
    2000,
    () => studio.status(),
    ({ health }) => health.problems.every(({ code }) => code !== 'preview-failed'),
  );
});

test('a clip in HEVC plays in the page, by a small copy that is made once', async () => {
  const { studio } = await startLive('hevc');
  await studio.holds(7, 20_000);
  await studio.save({ seconds: 6 });
  await studio.stopCapture();
  const [clip] = z.array(Clip).parse((await studio.api('GET', '/api/clips')).body);
  if (!clip) throw new Error('no clip');
  expect(clip.codec).toBe('hevc');
  const tag = await run('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=codec_tag_string', '-of', 'csv=p=0'],
    clip.path,
  ]);
  expect(tag.stdout.toString('latin1').trim()).toBe('hvc1');
  const previews = join(studio.data, 'previews');

  const page = await openPage(browser, studio.url);
  await clipButtons(page).first().getByRole('button').click();
  const dialog = page.getByRole('dialog');
  const video = dialog.locator('video');
  await until(
    'it to play',
    30_000,
    () => video.evaluate((element: HTMLVideoElement) => element.currentTime),
    (t) => t > 0.2,
  );
  expect(await video.getAttribute('src')).toBe(`/api/clips/${clip.id}/preview`);
  await expectAccessible(page, 'an HEVC clip');
  const colourAt = async (seconds: number): Promise<number> => {
    await video.evaluate(async (element: HTMLVideoElement, t) => {
      element.pause();
      const seeked = new Promise((resolve) => element.addEventListener('seeked', resolve, { once: true }));
      element.currentTime = t;
      await seeked;
    }, seconds);
    return (await pictureOf(await video.screenshot())).at(0.5, 0.4);
  };
  for (const t of [0.5, 1.5, 3.5, 5.5]) {
    const original = await run('ffmpeg', [
      // seeks by decoding: from the file's keyframes ffmpeg 5.1.9 gave grey pictures of HEVC
      ...['-v', 'error', '-i', clip.path, '-ss', String(t), '-frames:v', '1'],
      ...['-f', 'image2pipe', '-c:v', 'ppm', 'pipe:1'],
    ]);
    const wanted = (await pictureOf(original.stdout)).at(0.5, 0.5);
    expectColour(await colourAt(t), wanted, `the picture at ${t} s`);
  }
  const original = dialog.getByRole('link', { name: 'Download the original file' });
  expect(await original.getAttribute('href')).toBe(`/api/clips/${clip.id}/file`);
  await page.close();

  const made = readdirSync(previews);
  expect(made).toHaveLength(1);
  const streams = await streamsOf(join(previews, made[0] ?? ''));
  expect(streams.find(({ codec_type }) => codec_type === 'video')).toMatchObject({
    codec_name: 'h264',
    width: 960,
    height: 540,
  });
  expect(streams.some(({ codec_name }) => codec_name === 'aac')).toBe(true);

  // from the cache, with ranges
  const address = `${studio.url.replace(/\/$/, '')}/api/clips/${clip.id}/preview`;
  const part = await fetch(address, { headers: { Range: 'bytes=4-7' } });
  expect(part.status).toBe(206);
  expect(await part.text()).toBe('ftyp');
  expect(readdirSync(previews)).toEqual(made);
});

test('a preview of a clip nobody waits for any more is not made', async () => {
  const { studio } = await startLive('hevc');
  await studio.holds(8, 30_000);
  const { clips } = await studio.save({ seconds: 60 });
  await studio.stopCapture();
  const address = `${studio.url.replace(/\/$/, '')}/api/clips/${clips[0]?.id ?? ''}/preview`;
  const [first, second] = [new AbortController(), new AbortController()];
  const asked = [first, second].map(({ signal }) => fetch(address, { signal }).catch(() => 'gone'));
  const [one, ...more] = await until(
    'a transcode',
    5000,
    () => encoding(studio),
    (found) => found.length > 0,
  );
  expect(more).toEqual([]);
  // it must not be done before both have left
  process.kill(one?.pid ?? Number.NaN, 'SIGSTOP');
  first.abort();
  second.abort();
  expect(await Promise.all(asked)).toEqual(['gone', 'gone']);
  await noTranscode(studio, 1500);
  await until(
    'nothing left of it',
    1500,
    () => readdirSync(join(studio.data, 'previews')),
    (names) => names.length === 0,
  );
  // asked again, it is made
  expect((await fetch(address)).status).toBe(200);
  expectProblem(await studio.api('GET', '/api/clips/nothing/preview'), 404, 'clip-not-found');
});

test.each(['h264', 'hevc'] as const)(
  'thumbnails of the buffer, %s: of the right moment, each made once',
  async (codec) => {
    const { studio } = await startLive(codec);
    await studio.holds(6, 30_000);
    await studio.stopCapture();
    const { replay } = await studio.status();
    const [epoch] = replay.epochs;
    if (!epoch) throw new Error('nothing held');
    const base = studio.url.replace(/\/$/, '');
    const thumbnail = (at: number): Promise<Response> => fetch(`${base}/api/replay/thumbnails?at=${at}`);
    // the buffer begins with the file's first picture, and keyframes are a second apart
    for (const after of [0.5, 1.5, 2.5, 2.9, 3.1, 3.5, 4.5, 5.5]) {
      const answer = await thumbnail(epoch.from + after);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('image/jpeg');
      const picture = await pictureOf(new Uint8Array(await answer.arrayBuffer()));
      expect([picture.width, picture.height]).toEqual([160, 90]);
      const wanted = after < STRETCH ? RED : BLUE;
      expectColour(picture.at(0.5, 0.5), wanted, `the keyframe at or before ${after} s`);
    }

    // the same group of pictures again: the same bytes, from memory
    const [one, two] = await Promise.all([thumbnail(epoch.from + 2.2), thumbnail(epoch.from + 2.7)]);
    expect(Buffer.from(await one.arrayBuffer()).equals(Buffer.from(await two.arrayBuffer()))).toBe(true);
    expect(transcodes(studio)).toEqual([]);
    expect((await thumbnail(epoch.to + 3600)).status).toBe(200);

    expectProblem(await studio.api('GET', `/api/replay/thumbnails?at=${epoch.from - 5}`), 404, 'not-found');
    for (const at of ['', '?at=', '?at=now'])
      expectProblem(await studio.api('GET', `/api/replay/thumbnails${at}`), 400, 'bad-request');
  },
);
