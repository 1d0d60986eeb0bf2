/**
 * How soon programs that read the live address have a picture, and how old their pictures are after that: OpenCV, ffplay, mpv and
 * GStreamer against a window that draws the time, 1280x720 at 30 fps. `--seconds=N` is how long each is watched (8 otherwise).
 *
 * OpenCV and GStreamer hand their pictures to us, ffplay and mpv show them beside the source window on one screenshot.
 */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { runToEnd } from '../src/main/engine/process/child.ts';
import { OPENCV_OPTIONS, PLAYERS } from '../src/renderer/stream/snippets.ts';
import { endChild, startXvfb } from '../test/support/xvfb.ts';
import { pause, runBench, say, until, type Bench } from './support/bench.ts';
import { openAppWindow } from './support/browser.ts';
import { fixed, median, percentile, table } from './support/figures.ts';
import { fitted, mapped, type Rect } from './support/geometry.ts';
import { capturedWindow, startStudio } from './support/studio.ts';
import { ageOf, readTimecode, timecodePage } from './support/timecode.ts';

const SCREEN = { width: 1280, height: 1080 };
const SOURCE: Rect = { x: 0, y: 0, width: 1280, height: 720 };
const PLAYER: Rect = { x: 0, y: 720, width: 640, height: 360 };
const SMALL: Rect = { x: 0, y: 0, width: 640, height: 360 };
const FPS = 30;
const FRAME_MS = 1000 / FPS;
const WATCH_SECONDS = 8;
/** longer than a reader with default options lags behind at first */
const OPEN_MS = 20_000;
const READER = 'bench/support/opencv_ages.py';

type Measured = {
  readonly reader: string;
  readonly options: string;
  readonly open: number;
  readonly ages: readonly number[];
};

const Read = z.object({
  openSeconds: z.number(),
  firstSeconds: z.number().nullable(),
  ages: z.array(z.tuple([z.number(), z.number()])),
  unread: z.int(),
});

/** The ages once it is steady: the last half of what was seen. */
const steady = (ages: readonly number[]): readonly number[] => ages.slice(Math.floor(ages.length / 2));

async function openCv(address: string, options: string, seconds: number): Promise<Measured & { first: number }> {
  const { OPENCV_FFMPEG_CAPTURE_OPTIONS: _, ...env } = process.env;
  const python = process.env['PITWALL_PYTHON'] ?? '/usr/bin/python3';
  const { code, stdout, stderr } = await runToEnd(python, [READER, address, String(seconds)], {
    timeoutMs: OPEN_MS + seconds * 1000,
    env: { ...env, ...(options === '' ? {} : { OPENCV_FFMPEG_CAPTURE_OPTIONS: options }) },
  });
  if (code !== 0) throw new Error(`OpenCV: ${stderr.join(' ')}`);
  const read = Read.parse(JSON.parse(stdout.toString('utf8')));
  return {
    reader: 'OpenCV',
    options: options === '' ? 'default' : options,
    open: read.openSeconds,
    first: read.firstSeconds ?? Number.NaN,
    ages: steady(read.ages.map(([, age]) => age)),
  };
}

/** GStreamer, its pictures made smaller and handed over as they come; undefined where it is not installed. */
async function gstreamer(
  bench: Bench,
  { element, address }: { element: 'rtmpsrc' | 'rtmp2src'; address: string },
  picture: Rect,
  seconds: number,
): Promise<Measured | undefined> {
  const began = performance.now();
  const child = spawn(
    'gst-launch-1.0',
    [
      ...['-q', element, `location=${address}`, '!', 'flvdemux', 'name=d', 'd.video', '!', 'queue', '!'],
      ...['h264parse', '!', 'avdec_h264', '!', 'videoconvert', '!', 'videoscale', '!'],
      ...[`video/x-raw,format=BGRx,width=${SMALL.width},height=${SMALL.height}`, '!', 'fdsink', 'sync=false', 'fd=1'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  bench.onEnd(async () => endChild(child));
  const failures: Error[] = [];
  child.once('error', (error) => failures.push(error));
  const ages: number[] = [];
  let first = Number.NaN;
  let held = Buffer.alloc(0);
  const bytes = SMALL.width * SMALL.height * 4;
  child.stdout.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (; held.length >= bytes; held = held.subarray(bytes)) {
      if (Number.isNaN(first)) first = (performance.now() - began) / 1000;
      const shown = readTimecode({ width: SMALL.width, pixels: held.subarray(0, bytes) }, picture);
      if (shown !== undefined) ages.push(ageOf(Date.now(), shown));
    }
  });
  await until(OPEN_MS, 'GStreamer to give a picture', async () =>
    Promise.resolve(ages.length + failures.length > 0 ? true : undefined),
  ).catch((error: unknown) => say(`${element}: ${String(error)}`));
  if (failures.length > 0) return undefined;
  await pause(seconds * 1000);
  await endChild(child);
  return { reader: 'GStreamer', options: `${element}, sync=false`, open: first, ages: steady(ages) };
}

type Player = { readonly command: string; readonly options: string; readonly args: readonly string[] };

/** A player in its window, read from screenshots that hold it and the source. */
async function player(
  bench: Bench,
  { command, options, args }: Player,
  { display, source, shown, seconds }: { display: string; source: Rect; shown: Rect; seconds: number },
): Promise<Measured> {
  const file = path.join(bench.folder, 'shot.raw');
  const shoot = async (): Promise<number | undefined> => {
    const { code, stderr } = await runToEnd(
      bench.tools.ffmpeg,
      [
        ...['-hide_banner', '-loglevel', 'error', '-y', '-f', 'x11grab', '-draw_mouse', '0'],
        ...['-video_size', `${SCREEN.width}x${SCREEN.height}`, '-i', display, '-frames:v', '1'],
        ...['-f', 'rawvideo', '-pix_fmt', 'bgr0', file],
      ],
      { timeoutMs: 10_000 },
    );
    if (code !== 0) throw new Error(`no screenshot: ${stderr.join(' ')}`);
    const shot = { width: SCREEN.width, pixels: await readFile(file) };
    const now = readTimecode(shot, source);
    const then = readTimecode(shot, shown);
    return now === undefined || then === undefined ? undefined : ageOf(now, then);
  };
  const began = performance.now();
  const child = spawn(command, [...args], {
    // without a sound card ffplay would wait for one; this one plays into nothing, in time
    env: { ...process.env, DISPLAY: display, SDL_AUDIODRIVER: 'dummy' },
    stdio: 'ignore',
  });
  bench.onEnd(async () => endChild(child));
  await until(OPEN_MS, `${command} to show a picture`, shoot);
  const open = (performance.now() - began) / 1000;
  const ages: number[] = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const age = await shoot();
    if (age !== undefined) ages.push(age);
    // not in step with the pictures
    await pause(100 + Math.random() * 100);
  }
  await endChild(child);
  return { reader: command, options, open, ages: steady(ages) };
}

await runBench(async (bench) => {
  const seconds = bench.seconds ?? WATCH_SECONDS;
  const screen = await startXvfb(SCREEN);
  bench.onEnd(async () => screen.stop());
  const { display } = screen;
  const html = path.join(bench.folder, 'timecode.html');
  await writeFile(html, timecodePage('Assetto Corsa'));
  const window = await openAppWindow(bench, { display, url: pathToFileURL(html).href, place: SOURCE, name: 'source' });
  const source = await window.area();
  const studio = await startStudio(bench, display);
  const live = await until(10_000, 'the window to be listed', async () =>
    studio.start('window:Assetto Corsa').catch(() => undefined),
  );
  const captured = capturedWindow(live);
  const inPicture = (box: Rect): Rect => mapped(source, SOURCE, fitted(box, captured));

  const cv = [];
  const extra = process.env['PITWALL_BENCH_OPTIONS']?.split(' ') ?? [];
  for (const options of ['', OPENCV_OPTIONS, ...extra]) {
    cv.push(await openCv(studio.rtmp, options, seconds));
  }
  const place = ['-noborder', '-left', String(PLAYER.x), '-top', String(PLAYER.y)];
  const size = ['-x', String(PLAYER.width), '-y', String(PLAYER.height)];
  const geometry = `--geometry=${PLAYER.width}x${PLAYER.height}+${PLAYER.x}+${PLAYER.y}`;
  const mpvWindow = ['--no-config', '--no-border', '--no-osc', '--really-quiet', '--no-keepaspect-window', geometry];
  const quiet = ['-hide_banner', '-loglevel', 'error'];
  const players: readonly Player[] = [
    { command: 'ffplay', options: 'default', args: [...quiet, ...place, ...size, studio.rtmp] },
    {
      command: 'ffplay',
      options: PLAYERS.ffplay.join(' '),
      args: [...quiet, ...PLAYERS.ffplay, ...place, ...size, studio.rtmp],
    },
    { command: 'mpv', options: 'default', args: [...mpvWindow, studio.rtmp] },
    { command: 'mpv', options: PLAYERS.mpv.join(' '), args: [...PLAYERS.mpv, ...mpvWindow, studio.rtmp] },
  ];
  const watched: Measured[] = [...cv];
  if (extra.length === 0) {
    for (const one of players) {
      watched.push(await player(bench, one, { display, source, shown: inPicture(PLAYER), seconds }));
    }
    for (const element of ['rtmpsrc', 'rtmp2src'] as const) {
      const measured = await gstreamer(bench, { element, address: studio.rtmp }, inPicture(SMALL), seconds);
      if (measured) watched.push(measured);
      else say('GStreamer is not measured: gstreamer1.0-tools, -plugins-bad or -libav are not installed.');
    }
  }

  const inFrames = (ms: number): string => fixed(ms / FRAME_MS, 1);
  say(
    table(
      ['reader and options', 'open s', 'age median ms', 'p95 ms', 'median frames', 'p95 frames', 'n'],
      watched.map(({ reader, options, open, ages }) => [
        `${reader}, ${options}`,
        fixed(open, 2),
        fixed(median(ages)),
        fixed(percentile(ages, 0.95)),
        inFrames(median(ages)),
        inFrames(percentile(ages, 0.95)),
        String(ages.length),
      ]),
    ),
  );
  say(
    'open is isOpened() for OpenCV and the first picture for the others; the age counts from the time drawn in the window, so capture and encoder are in it',
  );
  say(cv.map(({ options, first }) => `OpenCV, ${options}: first picture after ${fixed(first, 2)} s`).join('\n'));
  const [plain, ours] = cv;
  if (!plain || !ours) throw new Error('OpenCV was not measured');
  const mpv = watched.findLast(({ reader }) => reader === 'mpv');
  if (mpv) {
    const [mine, theirs] = [median(ours.ages), median(mpv.ages)];
    say(
      `OpenCV with our options against mpv at its lowest latency: ${fixed(mine)} to ${fixed(theirs)} ms, ratio ${fixed(mine / theirs, 2)}`,
    );
  }
  const verdict = (good: boolean, what: string): string => `${good ? 'PASS' : 'short of target'}: ${what}`;
  say(
    [
      verdict(ours.open <= 0.4, `OpenCV with our options opens in at most 0.4 s (${fixed(ours.open, 2)})`),
      verdict(
        median(ours.ages) <= 2 * FRAME_MS,
        `its steady age is at most two frame intervals, ${fixed(2 * FRAME_MS)} ms (${fixed(median(ours.ages))})`,
      ),
      verdict(plain.open <= 1.5, `with default options it opens in at most 1.5 s (${fixed(plain.open, 2)})`),
    ].join('\n'),
  );
});
