import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { DEFAULT_SETTINGS, Source, type Settings } from '../src/contract/index.ts';
import { expectColour, pictureOf } from '../test/support/media.ts';
import { run } from '../test/support/processes.ts';
import { expectProblem, type RunningStudio, scratch, startStudio } from '../test/support/studio.ts';
import { until } from '../test/support/wait.ts';
import { startWindow, startXvfb, type TestWindow, type Xvfb } from '../test/support/xvfb.ts';

const GAME = 'Assetto Corsa';
const RED = 0xff0000;
const GREEN = 0x00ff00;
const BLUE = 0x0000ff;

async function screenOf(width: number, height: number): Promise<Xvfb> {
  const screen = await startXvfb({ width, height });
  onTestFinished(() => screen.stop());
  return screen;
}

async function open(
  { display }: Xvfb,
  title: string,
  at: { x?: number; y?: number; width?: number; height?: number; colour?: number } = {},
): Promise<TestWindow> {
  const window = await startWindow({ display, title, width: 320, height: 180, ...at });
  onTestFinished(() => window.close());
  return window;
}

/** Flags for a studio whose user has changed these settings. */
function withSettings(change: Partial<Settings>): string[] {
  const place = scratch();
  onTestFinished(() => place.remove());
  const data = join(place.folder, 'data');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'settings.json'), JSON.stringify({ ...DEFAULT_SETTINGS, ...change }));
  return ['--data', data];
}

const sourcesOf = async (studio: RunningStudio): Promise<Source[]> =>
  z.array(Source).parse((await studio.api('GET', '/api/sources')).body);

/** The newest picture of the replay. */
async function pictureNow(studio: RunningStudio): Promise<Awaited<ReturnType<typeof pictureOf>>> {
  const { clips } = await studio.save({ seconds: 1 });
  const file = clips.at(-1)?.path;
  if (file === undefined) throw new Error('no clip');
  return pictureOf(file, { fromEnd: 0.2 });
}

test('the game is followed: live when it appears, idle when it closes, live again, and not against the user', async () => {
  const screen = await screenOf(800, 600);
  const studio = await startStudio({ display: screen.display, args: withSettings({ followGame: true }) });
  await open(screen, 'Assetto Corsa - a wiki page', { y: 300 });

  const appeared = performance.now();
  const game = await open(screen, GAME, { colour: BLUE });
  const live = await studio.reaches('live', 5000);
  const afterAppearing = performance.now() - appeared;
  expect(live.source).toMatchObject({ name: GAME });
  await studio.holds(1);

  const closed = performance.now();
  await game.close();
  const idle = await studio.reaches('idle', 5000);
  const afterClosing = performance.now() - closed;
  expect(idle.replay.secondsHeld).toBeGreaterThan(0.9);

  const again = await open(screen, GAME, { colour: GREEN });
  await studio.reaches('live', 5000);
  process.stdout.write(
    `measured: live ${Math.round(afterAppearing)} ms after the game appeared, idle ${Math.round(afterClosing)} ms after it closed\n`,
  );
  expect(afterAppearing).toBeLessThan(2000);
  expect(afterClosing).toBeLessThan(1000);
  expectColour((await pictureNow(studio)).at(0.5, 0.5), GREEN, 'the reopened game');

  // Stop by hand is meant, whatever else opens, until the game was closed
  await studio.stopCapture();
  const notes = await open(screen, 'Notes', { x: 400 });
  await until(
    'the list to show the new window',
    3000,
    () => sourcesOf(studio),
    (sources) => sources.some(({ name }) => name === 'Notes'),
  );
  await notes.close();
  await until(
    'the list without it',
    3000,
    async () => (await sourcesOf(studio)).map(({ name }) => name),
    (names) => !names.includes('Notes') && names.includes(GAME),
  );
  expect((await studio.status()).state).toBe('idle');
  await again.close();
  await until(
    'the list without the game',
    3000,
    async () => (await sourcesOf(studio)).map(({ name }) => name),
    (names) => !names.includes(GAME),
  );
  await open(screen, GAME);
  await studio.reaches('live', 5000);
});

test('a region of a screen is captured as it lies, on screens of two sizes, and goes on when the screen changes', async () => {
  for (const [width, height] of [
    [800, 600],
    [1366, 768],
  ] as const) {
    const screen = await screenOf(width, height);
    await open(screen, 'Left', { x: 100, y: 100, width: 200, height: 200, colour: RED });
    await open(screen, 'Right', { x: 300, y: 100, width: 200, height: 200, colour: GREEN });
    const studio = await startStudio({ display: screen.display });
    expect((await sourcesOf(studio)).find(({ id }) => id === 'screen:0')).toMatchObject({ width, height });

    await studio.start('region:200,150,200x100');
    expect((await studio.status()).source).toMatchObject({ id: 'region:0:200,150,200x100', width: 200, height: 100 });
    await studio.holds(1);
    const region = await pictureNow(studio);
    expect([region.width, region.height]).toEqual([200, 100]);
    expectColour(region.at(0.25, 0.5), RED, 'the left half');
    expectColour(region.at(0.75, 0.5), GREEN, 'the right half');

    await studio.start('screen:0');
    expect((await studio.status()).source).toMatchObject({ width, height });
    await studio.holds(2);
    const whole = await pictureNow(studio);
    expectColour(whole.at(200 / width, 200 / height), RED, 'the left window on the whole screen');
    expectColour(whole.at(400 / width, 200 / height), GREEN, 'the right window on the whole screen');

    const outside = await studio.api('POST', '/api/capture/start', { source: `region:${width - 50},0,200x100` });
    expect(expectProblem(outside, 409, 'source-unavailable').title).toContain('not whole on a screen');
    await studio.stop();
  }
});

test('a screen whose resolution changes is captured on, whole', async () => {
  const screen = await screenOf(1280, 960);
  const studio = await startStudio({ display: screen.display });
  await studio.start('screen:0');
  await studio.holds(1);
  const pid = studio.ffmpeg();
  for (const args of [
    '--newmode small 23.5 640 656 720 800 480 481 484 500',
    '--addmode screen small',
    '--output screen --mode small',
  ]) {
    const { code, stderr } = await run('xrandr', ['-d', screen.display, ...args.split(' ')]);
    expect({ code, stderr }, args).toEqual({ code: 0, stderr: '' });
  }
  await until('another ffmpeg', 5000, () => studio.ffmpeg() !== pid);
  await studio.reaches('live', 5000);
  await open(screen, 'Corner', { x: 320, y: 240, width: 320, height: 240, colour: RED });
  await studio.holds(2);
  const shown = await until(
    'the corner to be seen',
    5000,
    async () => (await pictureNow(studio)).at(0.9, 0.9),
    (colour) => colour > 0xf00000,
  );
  expectColour(shown, RED, 'the lower right corner');
});
