import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser, type Locator, type Page } from 'playwright';
import { expect, onTestFinished } from 'vitest';
import { pictureOf } from './media.ts';
import { until } from './wait.ts';

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];

/** The system's Chromium: it decodes H.264, which Playwright's own build does not. */
export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env['PITWALL_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });

/** A page of the studio; an uncaught exception or a console error on it fails the test. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // thumbnails that do not exist are 404 by design; a studio that ends breaks its socket
    if (message.type() === 'error' && !/404|WebSocket|ERR_CONNECTION/.test(message.text()))
      complaints.push(message.text());
  });
  onTestFinished(async () => {
    await context.close();
    expect(complaints, 'the page complained').toEqual([]);
  });
  await page.goto(url);
  await page.getByTestId('state').waitFor();
  return page;
}

/** Waits out what fades or slides: in the middle of a fade every colour is paler than the one that is meant. */
export async function animationsEnded(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const ending = document
      .getAnimations()
      .filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime));
    await Promise.allSettled(ending.map(async ({ finished }) => finished));
  });
}

export async function expectAccessible(page: Page, what: string): Promise<void> {
  await animationsEnded(page);
  const { violations } = await new AxeBuilder({ page }).withTags(WCAG).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 300)).join('\n')}`);
  expect(found, what).toEqual([]);
}

/** What a person sees in the middle of the preview: read from a screenshot of the canvas, 0xRRGGBB. */
export async function previewColour(page: Page): Promise<number> {
  const picture = await pictureOf(await page.locator('canvas').screenshot());
  return picture.at(0.5, 0.5);
}

const pageState = async (page: Page): Promise<string> =>
  (await page.getByTestId('state').getAttribute('data-state')) ?? '';

/** Presses Tab until `target` has the focus; a person who cannot use a mouse gets there like this. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${String(target)}`);
}

export const pageReaches = (page: Page, state: string, ms = 15_000): Promise<string> =>
  until(
    `the page to show ${state}`,
    ms,
    () => pageState(page),
    (shown) => shown === state,
  );

export const startButton = (page: Page): Locator =>
  page.getByRole('banner').getByRole('button', { name: 'Start streaming' });
export const stopButton = (page: Page): Locator =>
  page.getByRole('banner').getByRole('button', { name: 'Stop streaming' });
export const saveButton = (page: Page): Locator => page.getByRole('button', { name: /^Save last/ });
export const clipButtons = (page: Page): Locator =>
  page.getByRole('region', { name: 'Latest clips' }).getByRole('listitem');
