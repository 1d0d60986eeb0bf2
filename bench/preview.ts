/**
 * Age of the picture in our preview, in mpv and in ffplay against the captured window, read from screenshots that hold all of them.
 * `--seconds=N` says for how long (60 shots otherwise).
 */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { runToEnd } from '../src/main/engine/process/child.ts';
import { endChild, startXvfb } from '../test/support/xvfb.ts';
import { pause, runBench, say, until, type Bench } from './support/bench.ts';
import { openAppWindow, type AppWindow } from './support/browser.ts';
import { fixed, median, percentile, table } from './support/figures.ts';
import { fitted, mapped, type Rect } from './support/geometry.ts';
import { capturedWindow, startStudio } from './support/studio.ts';
import { ageOf, readTimecode, timecodePage, type Shot } from './support/timecode.ts';

const SCREEN = { width: 1920, height: 1080 };
const SOURCE: Rect = { x: 0, y: 0, width: 640, height: 360 };
const MPV: Rect = { x: 640, y: 0, width: 640, height: 360 };
const FFPLAY: Rect = { x: 1280, y: 0, width: 640, height: 360 };
const UI: Rect = { x: 0, y: 360, width: 1280, height: 720 };
const TITLE = 'Assetto Corsa';
const FPS = 30;
const SHOTS = 60;
const PLAYERS_MS = 30_000;

type Player = { readonly name: string; readonly area: Rect; readonly ages: number[] };

/** One picture of the whole screen. */
async function screenshot(bench: Bench, display: string): Promise<Shot> {
  const { code, stdout, stderr } = await runToEnd(
    bench.tools.ffmpeg,
    [
      ...['-hide_banner', '-loglevel', 'error', '-f', 'x11grab', '-draw_mouse', '0'],
      ...['-video_size', `${SCREEN.width}x${SCREEN.height}`, '-i', display, '-frames:v', '1'],
      ...['-f', 'rawvideo', '-pix_fmt', 'bgr0', '-'],
    ],
    { timeoutMs: 10_000, maxOutputBytes: 32 * 1024 * 1024 },
  );
  if (code !== 0 || stdout.length !== SCREEN.width * SCREEN.height * 4)
    throw new Error(`no screenshot: ${stderr.join(' ')}`);
  return { width: SCREEN.width, pixels: stdout };
}

function startPlayer(bench: Bench, display: string, command: string, args: readonly string[]): void {
  const child = spawn(command, args, {
    // without a sound card ffplay would wait for one; this one plays into nothing, in time
    env: { ...process.env, DISPLAY: display, SDL_AUDIODRIVER: 'dummy' },
    stdio: 'ignore',
  });
  bench.onEnd(async () => endChild(child));
}

/** The place of our preview canvas on the screen. */
async function canvasBox(ui: AppWindow): Promise<Rect> {
  const page = await ui.area();
  const box = await ui.page.locator('canvas[data-frames-drawn]').boundingBox();
  if (!box) throw new Error('the preview canvas is not shown');
  return { x: page.x + box.x, y: page.y + box.y, width: box.width, height: box.height };
}

const framesDrawn = async (ui: AppWindow): Promise<number> =>
  Number(await ui.page.locator('canvas[data-frames-drawn]').getAttribute('data-frames-drawn'));

await runBench(async (bench) => {
  const screen = await startXvfb(SCREEN);
  bench.onEnd(async () => screen.stop());
  const { display } = screen;
  const html = path.join(bench.folder, 'timecode.html');
  await writeFile(html, timecodePage(TITLE));
  const url = pathToFileURL(html).href;
  const source = await openAppWindow(bench, { display, url, place: SOURCE, name: 'source' });
  const sourceArea = await source.area();

  const studio = await startStudio(bench, display);
  const live = await until(10_000, 'the window to be listed', async () =>
    studio.start(`window:${TITLE}`).catch(() => undefined),
  );
  const captured = capturedWindow(live);
  const ui = await openAppWindow(bench, { display, url: studio.url, place: UI, name: 'ui' });
  await ui.page.locator('canvas[data-frames-drawn]').waitFor();
  await until(10_000, 'the preview to draw', async () => ((await framesDrawn(ui)) > 0 ? true : undefined));

  const at = ({ x, y, width, height }: Rect): string => `${width}x${height}+${x}+${y}`;
  startPlayer(bench, display, 'mpv', [
    ...['--no-config', '--profile=low-latency', '--untimed', '--no-audio', '--no-border', '--no-osc', '--really-quiet'],
    ...[`--geometry=${at(MPV)}`, '--no-keepaspect-window', studio.rtmp],
  ]);
  startPlayer(bench, display, 'ffplay', [
    ...['-hide_banner', '-loglevel', 'error', '-noborder', '-left', String(FFPLAY.x), '-top', String(FFPLAY.y)],
    ...['-x', String(FFPLAY.width), '-y', String(FFPLAY.height), studio.rtmp],
  ]);

  const inPicture = (box: Rect): Rect => mapped(sourceArea, SOURCE, fitted(box, captured));
  const ours: Player = { name: 'Pitwall preview', area: inPicture(await canvasBox(ui)), ages: [] };
  const mpv: Player = { name: 'mpv low-latency untimed', area: inPicture(MPV), ages: [] };
  const ffplay: Player = { name: 'ffplay default', area: inPicture(FFPLAY), ages: [] };
  const players = [ours, mpv, ffplay];
  await until(PLAYERS_MS, 'all players to show a picture', async () => {
    const shot = await screenshot(bench, display);
    return players.every(({ area }) => readTimecode(shot, area) !== undefined) ? true : undefined;
  });

  const before = { frames: await framesDrawn(ui), at: performance.now() };
  const end = bench.seconds === undefined ? undefined : performance.now() + bench.seconds * 1000;
  let shots = 0;
  while (end === undefined ? shots < SHOTS : performance.now() < end) {
    const shot = await screenshot(bench, display);
    shots += 1;
    const now = readTimecode(shot, sourceArea);
    for (const { area, ages } of players) {
      const shown = readTimecode(shot, area);
      if (now !== undefined && shown !== undefined) ages.push(ageOf(now, shown));
    }
    // not in step with the pictures
    await pause(150 + Math.random() * 100);
  }
  const drawn = ((await framesDrawn(ui)) - before.frames) / ((performance.now() - before.at) / 1000);
  const { health } = await studio.status();

  say(
    table(
      ['age of the picture, ms', 'median', 'p90', 'min', 'n'],
      players.map(({ name, ages }) => [
        name,
        ...[median(ages), percentile(ages, 0.9), Math.min(...ages)].map((value) => fixed(value)),
        `${ages.length} of ${shots}`,
      ]),
    ),
  );
  const frame = 1000 / FPS;
  const difference = median(ours.ages) - median(mpv.ages);
  const pass = difference <= frame;
  say(
    [
      `capture ${captured.width}x${captured.height}, one picture every ${fixed(1000 / (health.fps ?? Number.NaN), 1)} ms (asked: ${fixed(frame, 1)}), preview draws ${fixed(drawn, 1)} a second`,
      `ours against mpv: ${difference >= 0 ? '+' : ''}${fixed(difference)} ms, ratio ${fixed(median(ours.ages) / median(mpv.ages), 2)}`,
      `${pass ? 'PASS' : 'short of target'}: our median at most mpv's plus one frame interval (${fixed(frame)} ms)`,
    ].join('\n'),
  );
});
