import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { procedures } from '../src/contract/index.ts';
import { connectContract } from '../src/contract/wire/client.ts';
import { wsWire } from '../src/contract/wire/ws.ts';
import { launchChromium, openPage, pageReaches, startButton, stopButton } from '../test/support/browser.ts';
import { expectCleanClip } from '../test/support/media.ts';
import { type RunningStudio, startStudio } from '../test/support/studio.ts';
import { until, within } from '../test/support/wait.ts';
import { startWindow, startXvfb, type Xvfb } from '../test/support/xvfb.ts';

const GAME = 'Assetto Corsa';

let screen: Xvfb;
let browser: Browser;

beforeAll(async () => {
  [screen, browser] = await Promise.all([startXvfb({ width: 1280, height: 800 }), launchChromium()]);
});
afterAll(async () => {
  await browser.close();
  await screen.stop();
});

async function openGame(): Promise<void> {
  const game = await startWindow({ display: screen.display, title: GAME, width: 640, height: 360 });
  onTestFinished(() => game.close());
}

describe('someone in a hurry', () => {
  const settled = (studio: RunningStudio): Promise<string> =>
    until(
      'a settled state',
      20_000,
      async () => (await studio.status()).state,
      (state) => state === 'idle' || state === 'live',
    );

  const captures = (studio: RunningStudio): number =>
    studio.processes().filter(({ command }) => command.includes('-progress pipe:3')).length;

  test('ten fast clicks on Start and Stop end as the last one that was taken says', async () => {
    await openGame();
    const studio = await startStudio({ display: screen.display });
    const page = await openPage(browser, studio.url);
    const asked: string[] = [];
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        const name = /"name":"(capture\.\w+)"/.exec(String(payload))?.[1];
        if (name !== undefined) asked.push(name);
      }),
    );
    await page.reload(); // so that its socket is seen
    await startButton(page).waitFor();
    const box = await startButton(page).boundingBox();
    if (!box) throw new Error('no button');
    // one person, one place: the button under the pointer changes between Start, Stop and neither
    for (let click = 0; click < 10; click++)
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2, { delay: 80 });
    await until(
      'the first to be asked',
      5000,
      () => asked.length,
      (count) => count > 0,
    );
    const wanted = (): string => (asked.at(-1) === 'capture.start' ? 'live' : 'idle');
    await until(
      'the state that was asked for last',
      20_000,
      () => settled(studio),
      (state) => state === wanted(),
    );
    await pageReaches(page, wanted());
    expect(captures(studio)).toBe(wanted() === 'live' ? 1 : 0);
    const button = wanted() === 'live' ? stopButton(page) : startButton(page);
    await until('the button for the opposite', 3000, () => button.isEnabled());
    // nothing is still on its way that would change it again
    await button.click();
    await pageReaches(page, wanted());
    expect((await studio.status()).state).toBe(wanted());
    expect(asked.length).toBeGreaterThan(2);
    process.stdout.write(`measured: ten clicks and one more became ${asked.length} intents\n`);
    expect(await page.locator('[data-sonner-toast]').count(), 'complaints about what the person did').toBe(0);
  });

  test('a start that waits for its first picture can be stopped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pitwall-e2e-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    // an ffmpeg that takes its time before it captures
    writeFileSync(
      join(folder, 'ffmpeg'),
      '#!/bin/sh\ncase " $* " in *" -progress "*) exec sleep 60 ;; *) exec /usr/bin/env ffmpeg "$@" ;; esac\n',
      { mode: 0o755 },
    );
    await openGame();
    const studio = await startStudio({ display: screen.display, env: { FFMPEG_PATH: join(folder, 'ffmpeg') } });
    const page = await openPage(browser, studio.url);
    await startButton(page).click();
    await pageReaches(page, 'starting');
    await stopButton(page).click({ timeout: 2000 });
    await pageReaches(page, 'idle', 6000);
    expect((await studio.status()).state).toBe('idle');
    expect(studio.processes().filter(({ command }) => command.startsWith('sleep'))).toEqual([]);
    expect(await page.locator('[data-sonner-toast]').count(), 'complaints about what the person did').toBe(0);
  });

  test.each(['stop', 'start'] as const)('ten calls in one breath, the last one %s', async (last) => {
    await openGame();
    const studio = await startStudio({ display: screen.display });
    const socket = new WebSocket(studio.url.replace('http', 'ws') + 'rpc');
    await within('the socket', 5000, new Promise((resolve) => socket.once('open', resolve)));
    onTestFinished(() => socket.terminate());
    const client = connectContract(wsWire(socket));
    const calls = Array.from({ length: 10 }, (_, index) => {
      const isStart = (index % 2 === 0) === (last === 'stop');
      const call = isStart
        ? client.call(procedures.startCapture, { source: `window:${GAME}` })
        : client.call(procedures.stopCapture, undefined);
      return call.then(
        ({ state }) => state,
        (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
      );
    });
    const answers = await within('ten answers', 30_000, Promise.all(calls));
    // a start that got its picture just when the next stop came says so
    for (const answer of answers) expect(['live', 'idle', 'stopping', 'cancelled']).toContain(answer);
    expect(answers.at(-1)).toBe(last === 'stop' ? 'idle' : 'live');
    expect(await settled(studio)).toBe(last === 'stop' ? 'idle' : 'live');
    expect(captures(studio)).toBe(last === 'stop' ? 0 : 1);
  });

  test('four saves at once become four clips with names of their own', async () => {
    const studio = await startStudio({ args: ['--source', 'test-pattern', '--start'] });
    await studio.holds(2);
    const saves = await Promise.all(Array.from({ length: 4 }, () => studio.save({ seconds: 5 })));
    const paths = saves.flatMap(({ clips }) => clips.map(({ path }) => path));
    expect(new Set(paths).size).toBe(4);
    expect(readdirSync(studio.clips).sort()).toEqual(paths.map((path) => basename(path)).sort());
    for (const path of paths) await expectCleanClip(path);
  });

  test('ten requests at once over HTTP are all answered and leave one clear state', async () => {
    const studio = await startStudio();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        index % 2 === 0
          ? studio.api('POST', '/api/capture/start', { source: 'test-pattern' })
          : studio.api('POST', '/api/capture/stop'),
      ),
    );
    for (const { status } of answers) expect([200, 409]).toContain(status);
    const state = await settled(studio);
    expect(captures(studio)).toBe(state === 'live' ? 1 : 0);
    await studio.start('test-pattern');
    expect((await studio.status()).state).toBe('live');
    expect((await studio.stopCapture()).state).toBe('idle');
    expect(captures(studio)).toBe(0);
  });
});
