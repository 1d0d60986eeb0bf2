/** What is wrong with the picture, found by looking at it: black, frozen, and merely still, under a real X server and a window manager. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startProgramWindow, type ProgramWindow } from '../test/support/program-window.ts';
import { startStudio, type RunningStudio } from '../test/support/studio.ts';
import { pause, until } from '../test/support/wait.ts';
import { startOpenbox, startWindow, startXvfb, type Xvfb } from '../test/support/xvfb.ts';

const SECONDS = 1000;

let screen: Xvfb;
let openbox: { stop: () => Promise<void> };

beforeAll(async () => {
  screen = await startXvfb({ width: 1280, height: 800 });
  openbox = await startOpenbox(screen.display);
});
afterAll(async () => {
  await openbox.stop();
  await screen.stop();
});

const codes = async (studio: RunningStudio): Promise<string[]> =>
  (await studio.status()).health.problems.map(({ code }) => code);

/** Resolves with the milliseconds until the problem is told (or taken back). */
async function told(studio: RunningStudio, code: string, wanted: boolean, ms: number): Promise<number> {
  const from = performance.now();
  await until(
    `${code} to be ${wanted ? 'told' : 'over'}`,
    ms,
    async () => (await codes(studio)).includes(code) === wanted,
  );
  return performance.now() - from;
}

const logged = (studio: RunningStudio, code: string): string[] =>
  studio.lines.filter((line) => line.includes(`"problem":"${code}"`) || line.includes(`problem=${code}`));

const program = (title: string, picture: string): ProgramWindow => {
  const started = startProgramWindow({ display: screen.display, title, picture });
  onTestFinished(async () => started.stop());
  return started;
};

async function capture(studio: RunningStudio, title: string): Promise<void> {
  await until(`the window ${title}`, 10 * SECONDS, async () =>
    JSON.stringify((await studio.api('GET', '/api/sources')).body).includes(title),
  );
  await studio.start(`window:${title}`);
}

test(
  'a window that becomes black is told within 3 s, once, and taken back when it shows a picture again',
  { timeout: 60 * SECONDS },
  async () => {
    const game = await startWindow({
      display: screen.display,
      title: 'Assetto Corsa',
      width: 640,
      height: 360,
      colour: 0x336699,
    });
    onTestFinished(() => game.close());
    const studio = await startStudio({ display: screen.display });
    await studio.start('window:Assetto Corsa');
    await studio.reaches('live');
    await studio.holds(1);
    expect(await codes(studio)).not.toContain('picture-black');

    await game.fill(0x000000);
    const after = await told(studio, 'picture-black', true, 3 * SECONDS);
    const { health } = await studio.status();
    const problem = health.problems.find(({ code }) => code === 'picture-black');
    expect(problem?.message).toBe('The picture of "Assetto Corsa" became black.');
    expect(problem?.remedy).toMatch(/loading/);
    expect(after).toBeLessThan(3 * SECONDS);

    await game.fill(0x336699);
    await told(studio, 'picture-black', false, 4 * SECONDS);
    expect(logged(studio, 'picture-black')).toHaveLength(2);
  },
);

test(
  'a stopped program is told within 3 s; one that merely shows a still picture is not called broken',
  { timeout: 90 * SECONDS },
  async () => {
    const game = program('Moving game', 'testsrc2=size=640x360:rate=30');
    program('Still menu', 'color=c=0x204060:size=640x360:rate=30');
    const studio = await startStudio({ display: screen.display });
    await capture(studio, 'Moving game');
    await studio.holds(2);
    expect(await codes(studio)).not.toContain('picture-frozen');

    game.signal('SIGSTOP');
    const after = await told(studio, 'picture-frozen', true, 3 * SECONDS);
    expect(after).toBeLessThan(3 * SECONDS);
    game.signal('SIGCONT');
    await told(studio, 'picture-frozen', false, 4 * SECONDS);
    expect(logged(studio, 'picture-frozen')).toHaveLength(2);

    await capture(studio, 'Still menu');
    await studio.reaches('live');
    const end = performance.now() + 6 * SECONDS;
    while (performance.now() < end) {
      await pause(200);
      const { state, health } = await studio.status();
      expect(state).toBe('live');
      expect(health.problems.filter(({ code }) => code.startsWith('picture-'))).toEqual([]);
    }
  },
);
