/** The Python examples, and what the panel "Use this stream" gives to copy, against the real studio with Debian's OpenCV. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { expectAccessible, launchChromium, openPage, pageReaches } from '../test/support/browser.ts';
import { GREEN, streamGame } from '../test/support/game.ts';
import { COLOUR_TOLERANCE, difference, expectColour } from '../test/support/media.ts';
import { run } from '../test/support/processes.ts';
import type { RunningStudio } from '../test/support/studio.ts';
import { until } from '../test/support/wait.ts';
import { endChild, startXvfb, type Xvfb } from '../test/support/xvfb.ts';

const BLUE = 0x0000ff;
const RED = 0xff0000;
const PYTHON = process.env['PITWALL_PYTHON'] ?? '/usr/bin/python3';
const EXAMPLES = resolve(import.meta.dirname, '../examples/python');
const READER = resolve(import.meta.dirname, '../test/support/live_frames_reader.py');

const Line = z.object({
  number: z.int(),
  received: z.int(),
  ageMs: z.number(),
  width: z.int(),
  height: z.int(),
  middle: z.int(),
  reconnects: z.int(),
});
type Line = z.infer<typeof Line>;

let screen: Xvfb;
let browser: Browser;

beforeAll(async () => {
  screen = await startXvfb({ width: 1280, height: 800 });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await screen.stop();
});

type Reader = {
  readonly lines: readonly Line[];
  newest(what: string, good: (line: Line) => boolean, ms?: number): Promise<Line>;
};

function startReader(address: string, slowSeconds: number): Reader {
  const { OPENCV_FFMPEG_CAPTURE_OPTIONS: _, ...env } = process.env;
  const child = spawn(PYTHON, [READER, EXAMPLES, address, String(slowSeconds)], {
    env: { ...env, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => endChild(child));
  const lines: Line[] = [];
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-2000)));
  createInterface(child.stdout).on('line', (line) => void lines.push(Line.parse(JSON.parse(line))));
  return {
    lines,
    async newest(what, good, ms = 10_000) {
      const found = await until(
        what,
        ms,
        () => ({ line: lines.at(-1), running: child.exitCode === null, said }),
        ({ line, running }) => !running || (line !== undefined && good(line)),
      );
      if (found.line === undefined || !found.running) throw new Error(`the reader ended: ${said}`);
      return found.line;
    },
  };
}

const looks =
  (colour: number) =>
  ({ middle }: Line): boolean =>
    difference(middle, colour) <= COLOUR_TOLERANCE;

const pidOf = (studio: RunningStudio, part: string): number => {
  const found = studio.processes().find(({ command }) => command.includes(part));
  if (!found) throw new Error(`no process ${part}`);
  return found.pid;
};

test('live_frames.py: right pictures; back by itself after a kill of the RTMP server and of ffmpeg', async () => {
  const { studio, game, address } = await streamGame(screen.display);
  const reader = startReader(address, 0);
  const first = await reader.newest('a picture', () => true);
  expect(first).toMatchObject({ width: 640, height: 360, reconnects: 0 });
  expectColour(first.middle, GREEN, 'the middle of the picture');

  const killedAt = performance.now();
  process.kill(pidOf(studio, 'rtmp-host.js'), 'SIGKILL');
  // a colour that no picture of before can have
  await game.fill(BLUE);
  const back = await reader.newest('the stream again', looks(BLUE), 15_000);
  expect(back.reconnects).toBeGreaterThan(0);
  process.stdout.write(
    `measured: Python frames back ${Math.round(performance.now() - killedAt)} ms after the RTMP server was killed\n`,
  );

  const ffmpegKilledAt = performance.now();
  process.kill(studio.ffmpeg(), 'SIGKILL');
  await game.fill(RED);
  await reader.newest('the stream after a new ffmpeg', looks(RED), 15_000);
  process.stdout.write(
    `measured: Python frames back ${Math.round(performance.now() - ffmpegKilledAt)} ms after ffmpeg was killed\n`,
  );
  const numbers = reader.lines.map(({ number }) => number);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
});

test('live_frames.py: a slow consumer gets the newest picture, not the next one', async () => {
  const { game, address } = await streamGame(screen.display);
  const reader = startReader(address, 0.5);
  await reader.newest('two pictures', () => reader.lines.length >= 2);
  await game.fill(BLUE);
  const shown = reader.lines.length;
  await reader.newest('the new colour', looks(BLUE));
  // at most the picture under way when it changed, one more from the encoder's and the reader's way, and the new one
  expect(reader.lines.length - shown).toBeLessThanOrEqual(3);
  const [, , ...later] = reader.lines;
  for (const { number, received, ageMs } of later) {
    expect(received - number, 'newer pictures that were there').toBeLessThanOrEqual(2);
    expect(ageMs).toBeLessThan(250);
  }
  const steps = reader.lines.slice(1).map(({ number }, index) => number - (reader.lines[index]?.number ?? 0));
  // 30 pictures a second, two taken
  expect(Math.max(...steps)).toBeGreaterThan(5);
});

test('opencv_window.py without a window says rate and size', async () => {
  const { address } = await streamGame(screen.display);
  const ran = await run(PYTHON, [join(EXAMPLES, 'opencv_window.py'), address, '--no-window', '--seconds', '4'], {
    timeoutMs: 30_000,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  expect({ code: ran.code, stderr: ran.stderr.replace(/^\[.*$/gm, '').trim() }).toEqual({ code: 0, stderr: '' });
  expect(ran.stdout.toString('utf8')).toMatch(/640x360 {2}\d+\.\d fps {2}age \d+ ms here {2}0 reconnects/);
});

test('what the panel gives to copy runs; the publisher is listed; a server can be added', async () => {
  const { studio } = await streamGame(screen.display);
  const page = await openPage(browser, studio.url);
  await pageReaches(page, 'live');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(studio.url).origin });
  await page
    .getByRole('banner')
    .getByRole('button', { name: /\/live\/test/ })
    .click();
  await page.getByRole('button', { name: 'Copy: Python with OpenCV' }).click();
  await page.getByText('Copied').waitFor();
  await expectAccessible(page, 'Use this stream');
  const program = await page.evaluate(() => navigator.clipboard.readText());
  expect(await runUntilItPrints(program)).toBe('(360, 640, 3)');

  await page.getByRole('tab', { name: /Who is connected/ }).click();
  const publishers = page.getByRole('region', { name: 'Publishers' }).getByRole('listitem');
  await publishers.first().waitFor();
  expect(await publishers.count()).toBe(1);
  expect(await publishers.first().textContent()).toContain('/live/test');

  await page.getByRole('tab', { name: /Push to servers/ }).click();
  await addServer(page, 'rtmp://127.0.0.1:1/live');
  const added = page.getByRole('switch', { name: 'Push to Club house' });
  await added.waitFor();
  await page.reload();
  await page.getByTestId('state').waitFor();
  await page.getByRole('button', { name: 'Push to a server' }).click();
  await page.getByText('Club house').waitFor();
  await page.getByRole('button', { name: 'Delete Club house' }).click();
  await page.getByRole('button', { name: 'Delete the server' }).click();
  await page.getByText('Club house').waitFor({ state: 'detached' });
});

async function addServer(page: Page, url: string): Promise<void> {
  await page.getByRole('button', { name: 'Add a server' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Club house');
  await page.getByLabel('Address', { exact: true }).fill(url);
  await page.getByLabel('Stream key', { exact: true }).fill('camera-one');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
}

/** Runs a Python program that does not end by itself; gives its first line. */
async function runUntilItPrints(program: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'pitwall-e2e-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'program.py');
  writeFileSync(file, program);
  const child = spawn(PYTHON, ['-u', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => endChild(child));
  let line: string | undefined;
  createInterface(child.stdout).on('line', (text) => (line ??= text));
  return (await until('a line', 20_000, () => line)) ?? '';
}
