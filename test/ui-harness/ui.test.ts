import { animationsEnded } from '../support/browser.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { StudioError } from '../../src/contract/errors.ts';
import type { StudioState } from '../../src/contract/state.ts';
import { type EngineDouble, startDouble } from './double.ts';
import {
  BAD_HEALTH,
  busyStream,
  CAPTURE,
  CLIPS,
  crowdedState,
  GOOD_HEALTH,
  idleState,
  liveSession,
  liveState,
  nowSeconds,
  replayHolding,
  SOURCES,
} from './scenes.ts';

/** Set to a folder to keep a screenshot of every state. */
const SHOTS = process.env['PITWALL_UI_SHOTS'];
const ENTRY = resolve(import.meta.dirname, '../../vite.renderer.config.ts');

let folder: string;
let browser: Browser;
let double: EngineDouble;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pitwall-ui-'));
  await build({ configFile: ENTRY, logLevel: 'error', build: { outDir: folder } });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  double = await startDouble(folder, idleState());
}, 120_000);

afterAll(async () => {
  await browser.close();
  await double.close();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

beforeEach(async () => {
  double.comeBack();
  double.setPreviewRunning(true);
  double.change(idleState());
  double.intents.length = 0;
  context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  page = await context.newPage();
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // a missing thumbnail is a 404 by design, a lost studio refuses connections
    if (message.type() === 'error' && !/404|WebSocket connection/.test(message.text())) complaints.push(message.text());
  });
});

afterEach(async () => {
  await context.close();
  expect(complaints).toEqual([]);
});

async function open(state: StudioState): Promise<void> {
  double.change(state);
  await page.goto(double.url);
  await page.getByTestId('state').waitFor();
}

async function shoot(name: string): Promise<void> {
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];

async function expectAccessible(): Promise<void> {
  await animationsEnded(page);
  const { violations } = await new AxeBuilder({ page }).withTags(WCAG).analyze();
  const found = violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join('\n')}`,
  );
  expect(found).toEqual([]);
}

const framesDrawn = async (): Promise<number> => Number(await page.locator('canvas').getAttribute('data-frames-drawn'));

describe('every state reads well and is accessible', () => {
  const scenes: [string, () => StudioState][] = [
    ['idle', idleState],
    ['idle-nothing-open', () => ({ ...idleState(), sources: SOURCES.slice(-1) })],
    ['idle-with-buffer', () => ({ ...idleState(), replay: replayHolding(14, 41), clips: CLIPS() })],
    ['starting', () => ({ ...liveState(), session: { state: 'starting', source: CAPTURE }, replay: replayHolding() })],
    ['live', liveState],
    ['live-crowded', crowdedState],
    [
      'live-with-problems',
      () => ({
        ...liveState(),
        health: BAD_HEALTH,
        replay: { ...replayHolding(12, 8, 51), estimatedSeconds: 71 },
        hotkeys: [
          {
            id: 'save',
            state: 'unavailable',
            accelerator: 'F9',
            error: {
              code: 'hotkey-unavailable',
              message: 'F9 is taken by another program.',
              remedy: 'Choose another key.',
            },
          },
          { id: 'mark', state: 'active', accelerator: 'F7' },
        ],
        rtmp: {
          state: 'down',
          error: { code: 'rtmp-failed', message: 'The RTMP server ended.', remedy: 'It is started again by itself.' },
        },
      }),
    ],
    [
      'stalled',
      () => ({
        ...liveState(),
        session: { state: 'stalled', source: CAPTURE, since: nowSeconds() - 90, stalledSince: nowSeconds() - 3 },
      }),
    ],
    [
      'reconnecting',
      () => ({
        ...liveState(),
        session: {
          state: 'reconnecting',
          source: CAPTURE,
          since: nowSeconds() - 90,
          attempt: 2,
          reason: { code: 'capture-failed', message: 'The capture ended by itself.', remedy: 'Nothing to do for now.' },
        },
      }),
    ],
    ['stopping', () => ({ ...liveState(), session: { state: 'stopping', source: CAPTURE } })],
    [
      'failed',
      () => ({
        ...liveState(),
        session: {
          state: 'failed',
          source: CAPTURE,
          at: nowSeconds(),
          error: {
            code: 'source-gone',
            message: 'The window "Assetto Corsa" was closed.',
            remedy: 'Start the game again, then start streaming; the last 1:34 are still held and can be saved.',
          },
        },
      }),
    ],
  ];

  test.each(scenes)('%s', { timeout: 60_000 }, async (name, scene) => {
    await open(scene());
    if (name.startsWith('live')) {
      for (let report = 0; report < (SHOTS ? 40 : 3); report++) {
        double.change({ health: { ...double.state().health, bitrateKbps: 11_000 + 900 * Math.sin(report) } });
        if (SHOTS) await page.waitForTimeout(500);
      }
      await expect.poll(framesDrawn, { timeout: 10_000 }).toBeGreaterThan(40);
    }
    for (const [width, height] of [
      [1280, 720],
      [1440, 900],
      [1920, 1080],
      [720, 540],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      const overflow = await page.evaluate(() => ({
        across: document.documentElement.scrollWidth - window.innerWidth,
        down: document.documentElement.scrollHeight - window.innerHeight,
      }));
      expect(overflow.across, `${width} wide`).toBeLessThanOrEqual(0);
      if (width >= 1280) expect(overflow.down, `${width}x${height}`).toBeLessThanOrEqual(0);
      if (SHOTS && width === 390) await page.screenshot({ path: join(SHOTS, `${name}-phone.png`), fullPage: true });
      else await shoot(`${name}-${width}`);
    }
    await page.setViewportSize({ width: 1280, height: 720 });
    await expectAccessible();
  });

  test('dialogs', { timeout: 60_000 }, async () => {
    await open(liveState());
    for (const [name, button] of [
      ['settings', 'Settings'],
      ['change-source', 'Change'],
      ['clip', /Assetto Corsa.*2 min ago/],
    ] as const) {
      await page.getByRole('button', { name: button }).first().click();
      await page.getByRole('dialog').waitFor();
      if (name === 'clip') await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.2);
      await page.waitForTimeout(SHOTS ? 300 : 0);
      await shoot(`dialog-${name}`);
      await expectAccessible();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await page.getByRole('button', { name: 'What these numbers mean' }).click();
    await page.getByRole('dialog', { name: 'What these numbers mean' }).getByText('Speed').waitFor();
    await shoot('help-health');
    await expectAccessible();
    await page.keyboard.press('Escape');
    double.change({ health: BAD_HEALTH });
    await page.getByRole('button', { name: 'Change hotkeys' }).click();
    await page.getByRole('group', { name: 'Save buttons' }).waitFor();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.closest('fieldset')?.textContent))
      .toMatch(/^Save button/);
    await shoot('dialog-settings-from-problem');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('alertdialog').waitFor();
    await shoot('dialog-clear');
    await expectAccessible();
    await page.getByRole('button', { name: 'Clear the replay' }).click();
    await expect.poll(() => double.intents.map(({ name }) => name)).toContain('clearReplay');
  });

  test('the live stream: texts, who is connected, servers', { timeout: 90_000 }, async () => {
    await open(busyStream());
    await page.getByRole('button', { name: 'Use this stream', exact: true }).click();
    await page.getByRole('dialog').waitFor();
    const look = async (name: string): Promise<void> => {
      for (const [width, height] of [
        [1440, 900],
        [720, 540],
        [390, 844],
      ] as const) {
        await page.setViewportSize({ width, height });
        const wide = await page
          .getByRole('dialog')
          .evaluate((dialog) =>
            Math.max(...[...dialog.querySelectorAll('*'), dialog].map((one) => one.getBoundingClientRect().right)),
          );
        expect(wide, `${name}, ${width} wide`).toBeLessThanOrEqual(width);
        await shoot(`stream-${name}-${width}`);
      }
      await expectAccessible();
      await page.setViewportSize({ width: 1440, height: 900 });
    };
    await look('use');
    // by keyboard: the arrows go from tab to tab
    await page.getByRole('tab', { name: 'Use this stream' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.getByText('This studio').waitFor();
    await look('peers');
    await page.keyboard.press('ArrowRight');
    await page.getByText('YouTube refused the stream key.').waitFor();
    await look('push');
    await page.getByRole('switch', { name: 'Push to Twitch' }).focus();
    await page.keyboard.press('Space');
    await expect
      .poll(() => double.intents.at(-1))
      .toEqual({ name: 'enablePushTarget', input: { id: 'a', enabled: false } });
    await page.getByRole('button', { name: 'Add a server' }).click();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await look('add');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Delete Twitch' }).click();
    await page.getByRole('alertdialog').waitFor();
    await shoot('stream-delete');
    await expectAccessible();
  });

  test('toasts', { timeout: 60_000 }, async () => {
    await open(liveState());
    const [first] = CLIPS();
    if (!first) throw new Error('no clip');
    double.notice({
      type: 'clip-saved',
      clips: [first],
      askedSeconds: 60,
      seconds: 31,
      reason: 'Only the last 0:31 were held.',
    });
    double.notice({
      type: 'save-failed',
      error: {
        code: 'disk-full',
        message: 'The clip was not saved: the disk is full.',
        remedy: 'Free some space and save again; the replay still holds it.',
      },
    });
    await page.getByText('Free some space').waitFor();
    await page.getByText('Clip saved, 0:31').waitFor();
    await page.waitForTimeout(SHOTS ? 600 : 0);
    await shoot('toasts');
    await expectAccessible();
    await page.getByRole('button', { name: 'Show in folder' }).click();
    await expect.poll(() => double.intents.at(-1)).toEqual({ name: 'revealClip', input: { id: 'a1' } });
  });
});

describe('preview', () => {
  test(
    'draws about every frame, and nothing is sent when the capture is idle or the page hidden',
    { timeout: 60_000 },
    async () => {
      await open(liveState());
      await expect.poll(framesDrawn, { timeout: 10_000 }).toBeGreaterThan(30);
      const canvas = page.locator('canvas');
      expect(await canvas.getAttribute('data-state')).toBe('playing');
      expect(await canvas.evaluate((element: HTMLCanvasElement) => [element.width, element.height])).toEqual([
        1280, 720,
      ]);
      await page.evaluate(() => {
        Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      });
      await expect.poll(double.previewReaders).toBe(0);
      await expect.poll(() => canvas.getAttribute('data-state')).toBe('paused');
      const atPause = await framesDrawn();
      await page.evaluate(() => {
        Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      });
      await expect.poll(framesDrawn, { timeout: 10_000 }).toBeGreaterThan(atPause + 10);
      double.change({ session: { state: 'idle' } });
      await expect.poll(double.previewReaders).toBe(0);
    },
  );

  test('shows the moving picture, not only counts it', { timeout: 60_000 }, async () => {
    await open(liveState());
    await expect.poll(framesDrawn, { timeout: 10_000 }).toBeGreaterThan(10);
    const before = await page.locator('canvas').screenshot();
    const drawn = await framesDrawn();
    await expect.poll(framesDrawn, { timeout: 10_000 }).toBeGreaterThan(drawn + 15);
    const after = await page.locator('canvas').screenshot();
    expect(before.equals(after)).toBe(false);
    // a black rectangle compresses to next to nothing
    expect(after.byteLength).toBeGreaterThan(20_000);
  });
});

describe('connection', () => {
  test('a lost studio is said with what to do, and the page comes back by itself', { timeout: 60_000 }, async () => {
    await open(liveState());
    double.goAway();
    await page.getByText('Reconnecting to the studio').waitFor();
    expect(await page.getByTestId('state').textContent()).toBe('Not connected');
    expect(await page.getByRole('button', { name: 'Stop streaming' }).isDisabled()).toBe(true);
    await shoot('lost');
    await expectAccessible();
    double.comeBack();
    await page.getByText('Reconnecting to the studio').waitFor({ state: 'detached', timeout: 20_000 });
    expect(await page.getByTestId('state').textContent()).toContain('Live');
  });

  test('a hole in the deltas leads to a fresh snapshot', { timeout: 60_000 }, async () => {
    await open(liveState());
    double.leaveHole({ session: liveSession(3601), health: GOOD_HEALTH });
    await page.getByText(/^1:00:0\d$/).waitFor();
    double.change({ session: { state: 'idle' } });
    await page.getByRole('heading', { name: 'What do you want to stream?' }).waitFor();
  });
});

describe('intents', () => {
  test(
    'the suggested source is selected; arrows choose, Enter starts, Save and the refusal of Stop are told',
    { timeout: 60_000 },
    async () => {
      await open({ ...idleState(), replay: replayHolding(20) });
      const suggested = page.getByRole('radio', { name: /Assetto Corsa/ });
      expect(await suggested.isChecked()).toBe(true);
      await suggested.focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await expect
        .poll(() => double.intents.find(({ name }) => name === 'startCapture'))
        .toEqual({ name: 'startCapture', input: { source: 'window:0x2a00003' } });
      await page.getByRole('button', { name: /^Save last 60 s/ }).click();
      await expect.poll(() => double.intents.at(-1)).toEqual({ name: 'saveReplay', input: { seconds: 60 } });
      double.change(liveState());
      double.refuse('stopCapture', new StudioError('conflict', 'It is starting.', 'Wait a moment.'));
      await page.getByRole('button', { name: 'Stop streaming' }).click();
      await page.getByText('Wait a moment.').waitFor();
    },
  );
});
