import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type RunningStudio, startStudio } from '../test/support/studio.ts';
import { expectCleanClip, expectColour, pictureOf } from '../test/support/media.ts';
import { addCornerMarks } from '../test/support/corner-marks.ts';
import { isRunning, run } from '../test/support/processes.ts';
import { until } from '../test/support/wait.ts';
import {
  startOpenbox,
  startWindow,
  startXvfb,
  type TestWindow,
  type TestWindowOptions,
  type Xvfb,
} from '../test/support/xvfb.ts';

const GAME = 'Assetto Corsa';
const BLUE = 0x2040c0;
const GREEN = 0x20a040;
const ORANGE = 0xe07820;

let screen: Xvfb;

beforeAll(async () => {
  screen = await startXvfb({ width: 1280, height: 800 });
});
afterAll(async () => screen.stop());

async function openGame(options: Partial<TestWindowOptions> = {}): Promise<TestWindow> {
  const game = await startWindow({
    display: screen.display,
    title: GAME,
    width: 640,
    height: 360,
    x: 40,
    y: 40,
    colour: BLUE,
    ...options,
  });
  onTestFinished(() => game.close());
  return game;
}

async function streamGame(): Promise<RunningStudio> {
  const studio = await startStudio({ display: screen.display });
  const state = await studio.start(`window:${GAME}`);
  expect(state.state).toBe('live');
  return studio;
}

const report = (what: string, since: number): void => {
  process.stdout.write(`measured: ${what} after ${Math.round(performance.now() - since)} ms\n`);
};

/** The newest picture of the stream, as a clip shows it. */
async function newestPicture(studio: RunningStudio): ReturnType<typeof pictureOf> {
  const { clips } = await studio.save({ seconds: 2 });
  const clip = clips.at(-1);
  if (!clip) throw new Error('no clip');
  return pictureOf(clip.path, { fromEnd: 0.2 });
}

test('ffmpeg killed in mid-stream: live again by itself, both parts saved', async () => {
  await openGame();
  const studio = await streamGame();
  const before = await studio.holds(3);
  const victim = studio.ffmpeg();
  const killedAt = performance.now();
  process.kill(victim, 'SIGKILL');
  await until(
    'another ffmpeg',
    5000,
    () => studio.ffmpeg(),
    (pid) => pid !== victim,
  );
  await until(
    'the studio to be live in a second epoch',
    10_000,
    () => studio.status(),
    ({ state, replay }) => state === 'live' && replay.epochs.length === 2,
  );
  report('live again', killedAt);
  const { replay } = await studio.holds(before.replay.secondsHeld + 2);
  expect(replay.epochs[0]?.seconds).toBeGreaterThanOrEqual(before.replay.liveSeconds);

  const answer = await studio.save({ seconds: 60 });
  expect(answer.clips).toHaveLength(2);
  expect(answer.reason).toBeDefined();
  expect(answer.seconds).toBeGreaterThanOrEqual(before.replay.secondsHeld + 1);
  for (const clip of answer.clips) await expectCleanClip(clip.path);
});

test('ffmpeg stopped for three seconds: shown as stalled within two, live again after', async () => {
  await openGame();
  const studio = await streamGame();
  await studio.holds(3);
  const pid = studio.ffmpeg();
  const stoppedAt = performance.now();
  process.kill(pid, 'SIGSTOP');
  try {
    const stalled = await studio.reaches('stalled', 2000);
    report('stalled shown', stoppedAt);
    expect(stalled.health.problems.map(({ code }) => code)).toContain('stalled');
    await until(
      'fps near 0',
      3000,
      () => studio.status(),
      ({ health }) => health.fps !== null && health.fps < 3,
    );
    report('fps near 0', stoppedAt);
    await until('three seconds to pass', 4000, () => performance.now() - stoppedAt >= 3000);
    expect((await studio.status()).state).toBe('stalled');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const continuedAt = performance.now();
  await studio.reaches('live', 2000);
  report('live after the stall', continuedAt);
  expect(studio.ffmpeg()).toBe(pid);
  await until(
    'fps near 30',
    8000,
    () => studio.status(),
    ({ health }) => (health.fps ?? 0) > 25,
  );
  const { clips } = await studio.save({ seconds: 30 });
  for (const clip of clips) await expectCleanClip(clip.path);
});

test('the window is closed: failed with the reason within two seconds, the replay kept and savable', async () => {
  const game = await openGame();
  const studio = await streamGame();
  const { replay } = await studio.holds(3);
  const closedAt = performance.now();
  await game.close();
  const failed = await studio.reaches('failed', 2000);
  report('source-gone shown', closedAt);
  expect(failed.error).toMatchObject({ code: 'source-gone' });
  expect(failed.error?.remedy).toMatch(/Start/);
  expect(failed.replay.secondsHeld).toBeGreaterThanOrEqual(replay.secondsHeld);
  const { clips, seconds } = await studio.save();
  expect(seconds).toBeGreaterThanOrEqual(3);
  for (const clip of clips) await expectCleanClip(clip.path);

  await openGame();
  expect((await studio.start(`window:${GAME}`)).state).toBe('live');
  expect((await studio.status()).replay.epochs.length).toBe(2);
});

test('the window is hidden and shown again: the capture goes on by itself', async () => {
  const game = await openGame();
  const studio = await streamGame();
  await studio.holds(2);
  await game.unmap();
  const hidden = await studio.reaches('reconnecting', 3000);
  expect(hidden.error?.message).toMatch(/minimised or hidden/);
  await game.fill(GREEN);
  const shownAt = performance.now();
  await game.map();
  await studio.reaches('live', 5000);
  report('live after being shown', shownAt);
  await until(
    'a second of it',
    5000,
    () => studio.status(),
    ({ replay }) => replay.liveSeconds >= 1.5,
  );
  expectColour((await newestPicture(studio)).at(0.5, 0.5), GREEN, 'the picture after being shown');
});

test('the window is minimised by a window manager and brought back', async () => {
  const manager = await startOpenbox(screen.display);
  try {
    const game = await openGame();
    const studio = await streamGame();
    await studio.holds(2);
    const xdotool = (...args: string[]): ReturnType<typeof run> =>
      run('xdotool', args, { env: { ...process.env, DISPLAY: screen.display } });
    expect((await xdotool('windowminimize', String(game.id))).code).toBe(0);
    await studio.reaches('reconnecting', 3000);
    expect((await xdotool('windowactivate', String(game.id))).code).toBe(0);
    await studio.reaches('live', 5000);
    await until(
      'a second of it',
      5000,
      () => studio.status(),
      ({ replay }) => replay.liveSeconds >= 1.5,
    );
    expectColour((await newestPicture(studio)).at(0.5, 0.5), BLUE, 'the picture after being brought back');
  } finally {
    await manager.stop();
  }
});

test('the window grows and shrinks: the picture stays whole, its size constant', async () => {
  const game = await openGame();
  const marks = await addCornerMarks({
    display: screen.display,
    window: game.id,
    width: 640,
    height: 360,
    colour: ORANGE,
  });
  onTestFinished(() => marks.close());
  const studio = await streamGame();
  const { source } = await studio.status();
  expect(source).toMatchObject({ width: 640, height: 360 });
  for (const [width, height] of [
    [960, 540],
    [480, 270],
    [500, 400],
  ] as const) {
    const epochs = (await studio.status()).replay.epochs.length;
    const resizedAt = performance.now();
    await game.resize(width, height);
    await until(
      `pictures at ${width}x${height}`,
      8000,
      () => studio.status(),
      ({ state, replay }) => state === 'live' && replay.epochs.length > epochs && replay.liveSeconds >= 1,
    );
    report(`one second of pictures at ${width}x${height}`, resizedAt);
    const picture = await newestPicture(studio);
    expect([picture.width, picture.height]).toEqual([640, 360]);
    // where the window lies inside the padded picture
    const scale = Math.min(640 / width, 360 / height);
    const [shareX, shareY] = [(width * scale) / 640, (height * scale) / 360];
    const at = (x: number, y: number): number => picture.at(0.5 + (x - 0.5) * shareX, 0.5 + (y - 0.5) * shareY);
    for (const x of [0.02, 0.98])
      for (const y of [0.03, 0.97]) expectColour(at(x, y), ORANGE, `corner ${x},${y} at ${width}x${height}`);
    expectColour(at(0.5, 0.5), BLUE, `the middle at ${width}x${height}`);
  }
  const { clips } = await studio.save({ seconds: 60 });
  for (const clip of clips) await expectCleanClip(clip.path);
  const { source: after } = await studio.status();
  expect(after).toMatchObject({ width: 640, height: 360 });
});

test('a covered window is captured whole', async () => {
  await openGame();
  const studio = await streamGame();
  const cover = await startWindow({
    display: screen.display,
    title: 'Cover',
    width: 900,
    height: 500,
    x: 0,
    y: 0,
    colour: ORANGE,
  });
  onTestFinished(() => cover.close());
  await cover.raise();
  const { replay } = await studio.status();
  await studio.holds(replay.secondsHeld + 2);
  const picture = await newestPicture(studio);
  for (const place of [0.05, 0.5, 0.95]) expectColour(picture.at(place, place), BLUE, `the picture at ${place}`);
});

test('the X server ends: failed with a reason, the replay kept and savable', async () => {
  const own = await startXvfb({ width: 800, height: 600 });
  onTestFinished(() => own.stop());
  await openGame({ display: own.display });
  const studio = await startStudio({ display: own.display });
  await studio.start(`window:${GAME}`);
  const { replay } = await studio.holds(2);
  const endedAt = performance.now();
  await own.stop();
  const failed = await studio.reaches('failed', 5000);
  report('the loss of the display shown', endedAt);
  expect(failed.error).toMatchObject({ code: 'device-lost', message: `The display that showed "${GAME}" is gone.` });
  expect(failed.health.problems.map(({ code }) => code)).toContain('device-lost');
  expect(failed.replay.secondsHeld).toBeGreaterThanOrEqual(replay.secondsHeld);
  for (const clip of (await studio.save()).clips) await expectCleanClip(clip.path);
  expect((await studio.start('test-pattern')).state).toBe('live');
});

test('a studio that is stopped while its ffmpeg hangs ends it all the same', async () => {
  await openGame();
  const studio = await streamGame();
  const pid = studio.ffmpeg();
  process.kill(pid, 'SIGSTOP');
  const stoppedAt = performance.now();
  expect((await studio.stopCapture()).state).toBe('idle');
  report('stop of a hanging capture', stoppedAt);
  expect(isRunning(pid)).toBe(false);
  expect((await studio.status()).replay.secondsHeld).toBeGreaterThan(0);
});
