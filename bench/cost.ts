/**
 * What the studio costs while it captures a window of 1280x720 at 30 fps, with nobody looking and with the preview shown, beside the
 * bare ffmpeg of the same capture; and the time from Start to live. `--seconds=N` says for how long each is measured (20 otherwise).
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { SILENCE } from '../src/main/engine/audio/plan.ts';
import { captureArgs, x11WindowInput } from '../src/main/engine/capture/args.ts';
import { encoderPlan } from '../src/main/engine/encoders/arguments.ts';
import { startChild } from '../src/main/engine/process/child.ts';
import { startXvfb } from '../test/support/xvfb.ts';
import { deadline, pause, runBench, say, until } from './support/bench.ts';
import { openAppWindow } from './support/browser.ts';
import { fixed, median, table } from './support/figures.ts';
import { processorTime, usage, type ProcessEntry, type Usage } from './support/processes.ts';
import { capturedWindow, startStudio } from './support/studio.ts';
import { startTabBrowser } from './support/tabs.ts';
import { timecodePage } from './support/timecode.ts';

const SOURCE = { x: 0, y: 0, width: 1280, height: 720 };
const TITLE = 'Assetto Corsa';
const FPS = 30;
const SECONDS = 20;
const STARTS = 7;
const SETTLE_MS = 3000;
const START_MS = 20_000;

const FRAMES_DRAWN = `Number(document.querySelector('canvas[data-frames-drawn]')?.dataset.framesDrawn ?? 0)`;

const sum = (usages: readonly Usage[]): number => usages.reduce((total, { percent }) => total + percent, 0);

await runBench(async (bench) => {
  const seconds = bench.seconds ?? SECONDS;
  const screen = await startXvfb({ width: 1920, height: 1080 });
  bench.onEnd(async () => screen.stop());
  const { display } = screen;
  const html = path.join(bench.folder, 'timecode.html');
  await writeFile(html, timecodePage(TITLE));
  await openAppWindow(bench, { display, url: pathToFileURL(html).href, place: SOURCE, name: 'source' });

  const measure = async (...roots: number[]): Promise<Usage[][]> => {
    await pause(SETTLE_MS);
    const before = await Promise.all(roots.map(processorTime));
    const from = performance.now();
    await pause(seconds * 1000);
    const after = await Promise.all(roots.map(processorTime));
    const took = (performance.now() - from) / 1000;
    return after.map((family, i) => usage(before[i] ?? new Map<number, ProcessEntry>(), family, took));
  };

  const studio = await startStudio(bench, display);
  const live = await until(10_000, 'the window to be listed', async () =>
    studio.start(`window:${TITLE}`).catch(() => undefined),
  );
  const { id, width, height } = capturedWindow(live);
  await studio.stop();

  /** The same encode of the same window with nothing around it. */
  const startBare = async (): Promise<{ pid: number; firstByteMs: number; end: () => Promise<void> }> => {
    const args = captureArgs({
      input: x11WindowInput(display, Number(id.replace('window:', '')), FPS),
      sound: SILENCE,
      encoder: encoderPlan('libx264', {
        fps: FPS,
        quality: 'performance',
        bitrateKbps: null,
        width,
        height,
        renderNode: null,
      }),
      watch: false,
      output: { width, height },
      fps: FPS,
      rtmpUrl: null,
      timestampOffset: 0,
    });
    const from = performance.now();
    let firstByte: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (firstByte = resolve));
    const child = startChild({
      name: 'bare ffmpeg',
      command: bench.tools.ffmpeg,
      args,
      onStdout: () => firstByte(),
      onControlLine: () => undefined,
    });
    bench.onEnd(async () => child.stop());
    await deadline(START_MS, 'the bare ffmpeg', first);
    return {
      pid: child.pid ?? 0,
      firstByteMs: performance.now() - from,
      end: async () => {
        await child.stop({ quit: 'q' });
      },
    };
  };

  const starts: number[] = [];
  const bareStarts: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const from = performance.now();
    await studio.start(id);
    starts.push(performance.now() - from);
    await studio.stop();
    const bare = await startBare();
    bareStarts.push(bare.firstByteMs);
    await bare.end();
  }

  const rows: string[][] = [];
  const addRow = (name: string, family: readonly Usage[], extra: readonly string[] = []): void => {
    const ffmpeg = sum(family.filter(({ command }) => command === 'ffmpeg'));
    const own = sum(family.filter(({ pid }) => pid === studio.pid));
    const rest = sum(family) - ffmpeg - own;
    rows.push([name, ...[sum(family), ffmpeg, own, rest].map((value) => fixed(value, 1)), ...extra]);
  };
  const measureBare = async (name: string): Promise<void> => {
    const bare = await startBare();
    const [family = []] = await measure(bare.pid);
    await bare.end();
    addRow(name, family);
  };

  await measureBare('bare ffmpeg, before');
  await studio.start(id);
  const [alone = []] = await measure(studio.pid);
  addRow('studio, no UI open', alone);

  const browser = await startTabBrowser(bench, display);
  const tab = await browser.open(studio.url);
  const cover = await browser.open('about:blank');
  const measureTab = async (name: string, visible: boolean): Promise<void> => {
    await (visible ? tab : cover).activate();
    await pause(SETTLE_MS);
    const shown = await tab.evaluate('document.visibilityState');
    if (shown !== (visible ? 'visible' : 'hidden')) throw new Error(`the UI is ${String(shown)}`);
    const before = Number(await tab.evaluate(FRAMES_DRAWN));
    const from = performance.now();
    const [family = [], chromium = []] = await measure(studio.pid, browser.pid);
    const drawn = (Number(await tab.evaluate(FRAMES_DRAWN)) - before) / ((performance.now() - from) / 1000);
    addRow(name, family, [fixed(sum(chromium), 1), fixed(drawn, 1)]);
  };
  await measureTab('studio, UI hidden', false);
  await measureTab('studio, UI visible', true);
  const { health } = await studio.status();
  await studio.stop();
  await measureBare('bare ffmpeg, after');

  say(
    [
      table(['percent of one core', 'all', 'ffmpeg', 'studio', 'rtmp', 'browser', 'drawn/s'], rows),
      `capture ${width}x${height}, ${fixed(health.fps ?? Number.NaN, 1)} fps, speed ${fixed(health.speed ?? Number.NaN, 2)}; each over ${seconds} s`,
      '',
      table(
        ['start, ms', 'median', 'max', 'n'],
        [
          ['POST to live', fixed(median(starts)), fixed(Math.max(...starts)), String(starts.length)],
          [
            'bare ffmpeg to its first bytes',
            fixed(median(bareStarts)),
            fixed(Math.max(...bareStarts)),
            String(bareStarts.length),
          ],
        ],
      ),
    ].join('\n'),
  );
});
