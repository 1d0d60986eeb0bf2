import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Browser } from 'playwright';
import { SetupReport } from '../src/contract/index.ts';
import { launchChromium, openPage } from '../test/support/browser.ts';
import { processesWith, run } from '../test/support/processes.ts';
import { scratch, sentences, startStudio } from '../test/support/studio.ts';
import { until } from '../test/support/wait.ts';
import { startXvfb, type Xvfb } from '../test/support/xvfb.ts';

let screen: Xvfb;
let browser: Browser;
beforeAll(async () => {
  [screen, browser] = await Promise.all([startXvfb({ width: 1280, height: 720 }), launchChromium()]);
});
afterAll(async () => {
  await Promise.all([screen.stop(), browser.close()]);
});

test('--setup-test --json prints one report, keeps it and says by its exit code whether it works', async () => {
  const place = scratch({ display: screen.display });
  onTestFinished(() => place.remove());
  const { code, stdout, stderr } = await run(
    process.execPath,
    [resolve('out/main/headless.js'), '--setup-test', '--json', '--data', place.data, '--clips', place.clips],
    { env: place.env, timeoutMs: 60_000 },
  );
  const report = SetupReport.parse(JSON.parse(stdout.toString('utf8')));
  expect(sentences(stderr)).toEqual([]);
  expect(report.source).toBe('Whole screen');
  expect(report.encoders.some(({ encoder, headroom }) => encoder === 'libx264' && headroom > 0)).toBe(true);
  expect(report.captureFps).toBeGreaterThan(5);
  expect(report.diskMbPerSecond).toBeGreaterThan(0);
  const failed = report.checks.filter(({ result }) => result === 'failed');
  expect(code).toBe(failed.length > 0 || report.recommendation === null ? 1 : 0);
  const [kept = ''] = readdirSync(join(place.data, 'reports'));
  expect(SetupReport.parse(JSON.parse(readFileSync(join(place.data, 'reports', kept), 'utf8')))).toEqual(report);
  expect(readdirSync(place.clips)).toEqual([]);
  expect(processesWith(place.mark)).toEqual([]);
});

test('a test that is cancelled in the page leaves nothing behind; while something is captured there is none', async () => {
  const studio = await startStudio({ display: screen.display });
  const page = await openPage(browser, studio.url);
  await page.getByRole('button', { name: 'Test my setup' }).click();
  const dialog = page.getByRole('dialog', { name: 'Test my setup' });
  await dialog.getByRole('button', { name: 'Start the test' }).click();
  const ffmpegs = (): number => studio.processes().filter(({ command }) => /ffmpeg.* -i /.test(command)).length;
  await until('a measurement to run', 20_000, ffmpegs, (count) => count > 0);
  await dialog.getByRole('button', { name: 'Cancel the test' }).click();
  await dialog.getByRole('button', { name: 'Start the test' }).waitFor();
  await dialog.getByRole('button', { name: 'Close', exact: true }).first().click();

  await studio.start('test-pattern');
  await page.getByRole('button', { name: 'Setup test' }).click();
  await dialog.getByText('Something is being captured').waitFor();
  expect(await dialog.getByRole('button', { name: 'Start the test' }).isDisabled()).toBe(true);
  await studio.stopCapture();
  await until('every child to be gone', 20_000, ffmpegs, (count) => count === 0);
  await page.close();
});
