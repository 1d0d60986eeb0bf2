import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Clip, Source } from '../src/contract/index.ts';
import {
  clipButtons,
  expectAccessible,
  launchChromium,
  openPage,
  pageReaches,
  previewColour,
  saveButton,
  startButton,
  stopButton,
  tabTo,
} from '../test/support/browser.ts';
import { COLOUR_TOLERANCE, difference, expectCleanClip, expectColour, pictureOf } from '../test/support/media.ts';
import { run } from '../test/support/processes.ts';
import { type RunningStudio, startStudio } from '../test/support/studio.ts';
import { until } from '../test/support/wait.ts';
import { startWindow, startXvfb, type TestWindow, type Xvfb } from '../test/support/xvfb.ts';

const GAME = 'Assetto Corsa';
const BLUE = 0x0000ff;
const GREEN = 0x00ff00;
const RED = 0xff0000;

let screen: Xvfb;
let browser: Browser;

beforeAll(async () => {
  [screen, browser] = await Promise.all([startXvfb({ width: 1280, height: 800 }), launchChromium()]);
});
afterAll(async () => {
  await browser.close();
  await screen.stop();
});

const window = (title: string, x: number, colour: number): Promise<TestWindow> =>
  startWindow({ display: screen.display, title, width: 640, height: 360, x, y: 30, colour });

async function openGame(): Promise<TestWindow> {
  const game = await window(GAME, 300, BLUE);
  onTestFinished(() => game.close());
  return game;
}

async function streamInPage(): Promise<{ studio: RunningStudio; page: Page; game: TestWindow }> {
  const game = await openGame();
  const studio = await startStudio({ display: screen.display });
  const page = await openPage(browser, studio.url);
  await startButton(page).click();
  await pageReaches(page, 'live');
  return { studio, page, game };
}

/** Resolves once the preview shows `colour`; prints how long that took. */
async function previewShows(page: Page, colour: number, ms: number): Promise<void> {
  const since = performance.now();
  await until(
    `the preview to show ${colour.toString(16)}`,
    ms,
    async () => (await previewColour(page)).toString(16),
    (shown) => difference(Number.parseInt(shown, 16), colour) <= COLOUR_TOLERANCE,
  );
  process.stdout.write(`measured: the preview showed it after ${Math.round(performance.now() - since)} ms\n`);
}

/** What the trash holds, and where it was before (freedesktop.org Trash Specification: one `.trashinfo` for each file). */
const trashOf = (studio: RunningStudio): { file: string; from: string }[] =>
  readdirSync(join(studio.trash, 'files')).map((name) => {
    const info = readFileSync(join(studio.trash, 'info', `${name}.trashinfo`), 'utf8');
    return { file: join(studio.trash, 'files', name), from: decodeURIComponent(/^Path=(.*)$/m.exec(info)?.[1] ?? '') };
  });

const clipsOf = async (studio: RunningStudio): Promise<Clip[]> =>
  z.array(Clip).parse((await studio.api('GET', '/api/clips')).body);

describe('a person streams the game', () => {
  test('it is offered first, starts by a click, moves in the preview, and the gauges make sense', async () => {
    const other = await window('Notes', 0, RED);
    onTestFinished(() => other.close());
    const game = await openGame();
    const studio = await startStudio({ display: screen.display });
    const sources = z.array(Source).parse((await studio.api('GET', '/api/sources')).body);
    expect(sources[0]).toMatchObject({ name: GAME, suggested: true, available: true, width: 640, height: 360 });

    const page = await openPage(browser, studio.url);
    const radios = page.getByRole('radio');
    await until(
      'the sources',
      5000,
      () => radios.count(),
      (count) => count >= 4,
    );
    expect(await radios.first().getAttribute('value')).toBe(`window:0x${game.id.toString(16)}`);
    expect(await page.getByRole('radio', { name: GAME }).isChecked()).toBe(true);
    await expectAccessible(page, 'idle');

    await startButton(page).click();
    await pageReaches(page, 'live');
    await previewShows(page, BLUE, 5000);
    await game.fill(GREEN);
    await previewShows(page, GREEN, 3000);
    expect(await page.locator('canvas').getAttribute('data-state')).toBe('playing');

    const { health, replay, source } = await until(
      'measured rates',
      15_000,
      () => studio.status(),
      (status) => (status.health.fps ?? 0) > 25 && (status.health.speed ?? 0) > 0.9 && status.replay.secondsHeld > 3,
    );
    expect(source).toMatchObject({ name: GAME, width: 640, height: 360, fps: 30 });
    expect(health.fps).toBeLessThan(35);
    expect(health.speed).toBeLessThan(1.15);
    expect(health.bitrateKbps).toBeGreaterThan(10);
    expect(health.bitrateKbps).toBeLessThan(20_000);
    expect(replay.bytesHeld).toBeGreaterThan(10_000);
    // the page says the same, in numbers
    const card = page.getByRole('region', { name: 'Health' });
    await until(
      'the gauges',
      5000,
      () => card.innerText(),
      (text) => /(2[5-9]|3[0-5])\.\d\s+fps/.test(text),
    );
    const gauges = await card.innerText();
    expect(gauges).toMatch(/(0\.9|1\.[01])\d?\s+×/);
    expect(gauges).toMatch(/\d\s+[kM]bit\/s/);
    const meter = page.getByRole('meter', { name: 'Replay held' });
    const shown = Number(await meter.getAttribute('aria-valuenow'));
    const held = (await studio.status()).replay.secondsHeld;
    expect(shown).toBeGreaterThan(held - 3);
    expect(shown).toBeLessThanOrEqual(held);
    await expectAccessible(page, 'live');
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('dialog', { name: 'Settings' }).waitFor();
    await expectAccessible(page, 'the settings');
  });

  test('saves by button and by hotkey, plays, stops, saves again, deletes', async () => {
    const { studio, page, game } = await streamInPage();
    await studio.holds(3);
    await game.fill(GREEN);
    await previewShows(page, GREEN, 3000);

    await saveButton(page).click();
    await page.getByText(/^Clip saved, 0:\d\d$/).waitFor({ timeout: 10_000 });
    await until(
      'one clip in the list',
      3000,
      () => clipButtons(page).count(),
      (count) => count === 1,
    );
    const pressedAt = performance.now();
    const pressed = await run('xdotool', ['key', 'F9'], { env: { ...process.env, DISPLAY: screen.display } });
    expect(pressed.code).toBe(0);
    await until(
      'two clips in the list',
      10_000,
      () => clipButtons(page).count(),
      (count) => count === 2,
    );
    process.stdout.write(`measured: the clip of F9 was listed after ${Math.round(performance.now() - pressedAt)} ms\n`);

    const clips = await clipsOf(studio);
    expect(clips).toHaveLength(2);
    expect(readdirSync(studio.clips).sort()).toEqual(clips.map(({ path }) => basename(path)).sort());
    for (const clip of clips) {
      expect(basename(clip.path)).toMatch(/^\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d Assetto Corsa( \(2\))?\.mp4$/);
      expect(clip).toMatchObject({ codec: 'h264', width: 640, height: 360 });
      expect(clip.seconds).toBeGreaterThanOrEqual(3);
      await expectCleanClip(clip.path);
      expectColour((await pictureOf(clip.path)).at(0.5, 0.5), BLUE, 'the first picture');
    }
    const newest = await pictureOf(clips[0]?.path ?? '', { fromEnd: 0.2 });
    expectColour(newest.at(0.5, 0.5), GREEN, 'the last picture');

    await clipButtons(page).last().getByRole('button').click();
    const dialog = page.getByRole('dialog', { name: GAME });
    const video = dialog.locator('video');
    await until(
      'it to play',
      10_000,
      () => video.evaluate((element: HTMLVideoElement) => element.currentTime),
      (t) => t > 0.2,
    );
    await video.evaluate(async (element: HTMLVideoElement) => {
      element.pause();
      const seeked = new Promise((resolve) => element.addEventListener('seeked', resolve, { once: true }));
      element.currentTime = 0;
      await seeked;
    });
    const firstFrame = await pictureOf(await video.screenshot());
    expectColour(firstFrame.at(0.5, 0.4), BLUE, 'the first frame in the player');
    await expectAccessible(page, 'the clip');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    const mpv = await run('mpv', [
      ...['--no-config', '--vo=null', '--ao=null', '--frames=10', '--msg-level=all=warn'],
      clips[0]?.path ?? '',
    ]);
    expect({ code: mpv.code, said: mpv.stderr + mpv.stdout.toString('utf8') }).toEqual({ code: 0, said: '' });

    await stopButton(page).click();
    await pageReaches(page, 'idle');
    const { replay } = await studio.status();
    expect(replay.secondsHeld).toBeGreaterThanOrEqual(3);
    // but for those that try the encoders, which is done while nothing is captured
    const ffmpegs = studio.processes().filter(({ command }) => command.includes('ffmpeg'));
    expect(ffmpegs.filter(({ command }) => !command.includes('-benchmark'))).toEqual([]);
    await saveButton(page).click();
    await until(
      'three clips in the list',
      10_000,
      () => clipButtons(page).count(),
      (count) => count === 3,
    );
    const [afterStop] = await clipsOf(studio);
    if (!afterStop) throw new Error('no clip');
    await expectCleanClip(afterStop.path);
    expect(afterStop.seconds).toBeGreaterThan(replay.secondsHeld - 1.1);

    await clipButtons(page).first().getByRole('button').click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    const question = page.getByRole('alertdialog', { name: 'Delete this clip?' });
    await question.getByRole('button', { name: 'Cancel' }).click();
    await question.waitFor({ state: 'detached' });
    expect(await clipsOf(studio)).toHaveLength(3);
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await question.getByRole('button', { name: 'Move to the trash' }).click();
    await until(
      'two clips in the list',
      5000,
      () => clipButtons(page).count(),
      (count) => count === 2,
    );
    const trashed = trashOf(studio);
    expect(trashed.map(({ from }) => from)).toEqual([afterStop.path]);
    expect(readdirSync(studio.clips)).not.toContain(basename(afterStop.path));
    for (const { file } of trashed) await expectCleanClip(file);
    expect((await studio.status()).replay.secondsHeld).toBeCloseTo(replay.secondsHeld, 1);
  });

  test('with the keyboard alone', async () => {
    await openGame();
    const studio = await startStudio({ display: screen.display });
    const page = await openPage(browser, studio.url);
    const choice = page.getByRole('radio', { name: GAME });
    await choice.waitFor();
    await tabTo(page, choice);
    await page.keyboard.press('Enter');
    await pageReaches(page, 'live');
    await studio.holds(2);
    await until('Save to be possible', 3000, () => saveButton(page).isEnabled());
    await tabTo(page, saveButton(page));
    await page.keyboard.press('Space');
    await until(
      'the clip',
      10_000,
      () => clipButtons(page).count(),
      (count) => count === 1,
    );
    await tabTo(page, clipButtons(page).first().getByRole('button'));
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: GAME });
    const video = dialog.locator('video');
    await until(
      'it to play',
      10_000,
      () => video.evaluate((element: HTMLVideoElement) => element.currentTime),
      (t) => t > 0.2,
    );
    await tabTo(page, dialog.getByRole('button', { name: 'Delete' }));
    await page.keyboard.press('Enter');
    const confirm = page.getByRole('alertdialog').getByRole('button', { name: 'Move to the trash' });
    await tabTo(page, confirm);
    await page.keyboard.press('Enter');
    await until(
      'the clip to be gone',
      5000,
      () => clipButtons(page).count(),
      (count) => count === 0,
    );
    await dialog.waitFor({ state: 'detached' });
    await tabTo(page, stopButton(page));
    await page.keyboard.press('Enter');
    await pageReaches(page, 'idle');
    expect(await clipsOf(studio)).toEqual([]);
  });
});

test('a whole screen is captured as it is', async () => {
  await openGame();
  const studio = await startStudio({ display: screen.display });
  await studio.start('screen:0');
  const { source } = await studio.status();
  expect(source).toMatchObject({ kind: 'screen', width: 1280, height: 800 });
  await studio.holds(2);
  const { clips } = await studio.save({ seconds: 1 });
  const picture = await pictureOf(clips[0]?.path ?? '', { fromEnd: 0.2 });
  expect([picture.width, picture.height]).toEqual([1280, 800]);
  expectColour(picture.at(620 / 1280, 210 / 800), BLUE, 'the game on the screen');
  expectColour(picture.at(100 / 1280, 700 / 800), 0x000000, 'the screen beside it');
});

describe('what the page says', () => {
  test('the game is closed: what happened, what to do, and the replay still there to be saved', async () => {
    const { studio, page, game } = await streamInPage();
    await studio.holds(2);
    await game.close();
    await pageReaches(page, 'failed', 3000);
    const preview = page.getByRole('region', { name: 'Preview' });
    await preview.getByText(`The window "${GAME}" was closed.`).waitFor();
    await preview.getByText(/Open it again and press Start/).waitFor();
    await expectAccessible(page, 'failed');
    await saveButton(page).click();
    await until(
      'the clip',
      10_000,
      () => clipButtons(page).count(),
      (count) => count === 1,
    );

    await openGame();
    await preview.getByRole('button', { name: 'Choose another source' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: GAME }).check();
    await dialog.getByRole('button', { name: 'Start streaming' }).click();
    await pageReaches(page, 'live');
    await previewShows(page, BLUE, 5000);
  });

  test('a hotkey that another program holds is said, and another one can be set', async () => {
    const first = await startStudio({ display: screen.display });
    const studio = await startStudio({ display: screen.display, args: ['--source', 'test-pattern', '--start'] });
    expect((await first.status()).health.problems).toEqual([]);
    await studio.holds(2);
    const page = await openPage(browser, studio.url);
    const problems = page.getByRole('list', { name: 'Problems' });
    await problems.getByText(/F9/).first().waitFor();
    expect((await studio.status()).health.problems.map(({ code }) => code)).toContain('hotkey-unavailable');

    await page.getByRole('button', { name: 'Settings' }).click();
    const dialog = page.getByRole('dialog', { name: 'Settings' });
    await dialog.getByRole('button', { name: /F9/ }).click();
    await page.keyboard.press('Control+Shift+S');
    // the first studio holds the key for marks as well
    await dialog.getByRole('button', { name: 'Mark: turn the hotkey off' }).click();
    await dialog.getByRole('button', { name: 'Save settings' }).click();
    await dialog.waitFor({ state: 'detached' });
    await until(
      'the problem to be gone',
      5000,
      () => studio.status(),
      ({ health }) => !health.problems.some(({ code }) => code === 'hotkey-unavailable'),
    );
    const env = { ...process.env, DISPLAY: screen.display };
    expect((await run('xdotool', ['key', 'ctrl+shift+s'], { env })).code).toBe(0);
    await until(
      'the clip',
      10_000,
      () => clipButtons(page).count(),
      (count) => count === 1,
    );
    expect(await clipsOf(first)).toEqual([]);
  });
});
