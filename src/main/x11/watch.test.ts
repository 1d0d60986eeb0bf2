import { spawn } from 'node:child_process';
import type { XComposite } from 'x11';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endChild, startOpenbox, startWindow, startXvfb } from '../../../test/support/xvfb.ts';
import type { TestWindow, TestWindowOptions, Xvfb } from '../../../test/support/xvfb.ts';
import { connect } from './connection.ts';
import { openDisplay } from './display.ts';
import type { X11Display } from './display.ts';
import type { WindowEvent } from './watch.ts';

const RED = 0xff0000;
const BLUE = 0x0000ff;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function display(name: string): Promise<X11Display> {
  const opened = await openDisplay(name);
  cleanups.push(() => opened.close());
  return opened;
}
async function window(options: TestWindowOptions): Promise<TestWindow> {
  const made = await startWindow(options);
  cleanups.push(() => made.close());
  return made;
}
const eventually = (test: () => unknown): Promise<void> =>
  expect.poll(test, { timeout: 5000, interval: 20 }).toBe(true);

/** What share of one picture grabbed by ffmpeg is red; undefined where it could grab none. */
async function redShare(name: string, id: number): Promise<number | undefined> {
  const input = ['-f', 'x11grab', '-draw_mouse', '0', '-framerate', '30', '-window_id', String(id), '-i', name];
  const output = ['-frames:v', '1', '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'];
  const ffmpeg = spawn('ffmpeg', ['-nostdin', '-loglevel', 'error', ...input, ...output], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const timer = setTimeout(() => void endChild(ffmpeg), 10_000);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of ffmpeg.stdout) if (chunk instanceof Buffer) chunks.push(chunk);
    const pixels = Buffer.concat(chunks);
    if (pixels.length === 0) return undefined;
    let red = 0;
    for (let i = 0; i < pixels.length; i += 3)
      if ((pixels[i] ?? 0) > 250 && (pixels[i + 1] ?? 255) < 5 && (pixels[i + 2] ?? 255) < 5) red++;
    return red / (pixels.length / 3);
  } finally {
    clearTimeout(timer);
    await endChild(ffmpeg);
  }
}

describe.each([{ manager: false }, { manager: true }])('watchWindow (openbox: $manager)', ({ manager }) => {
  let server: Xvfb;
  let openbox: { stop: () => Promise<void> } | undefined;
  beforeAll(async () => {
    server = await startXvfb({ width: 800, height: 600 });
    if (manager) openbox = await startOpenbox(server.display);
  });
  afterAll(async () => {
    await openbox?.stop();
    await server.stop();
  });

  async function shown(opened: X11Display, options: Omit<TestWindowOptions, 'display'>): Promise<TestWindow> {
    const made = await window({ ...options, display: server.display });
    await eventually(async () => (await opened.listWindows()).some((one) => one.id === made.id && one.viewable));
    return made;
  }

  it('keeps a covered and a half off-screen window whole for ffmpeg, which is not so without', async () => {
    const opened = await display(server.display);
    const game = await shown(opened, { title: 'game', width: 300, height: 200, x: 100, y: 100, colour: RED });
    const cover = await shown(opened, { title: 'cover', width: 300, height: 200, x: 200, y: 150, colour: BLUE });
    await cover.raise();
    await eventually(async () => ((await redShare(server.display, game.id)) ?? 1) < 0.9);

    const watch = await opened.watchWindow(game.id, () => undefined);
    expect(watch.redirected).toBe(true);
    await eventually(async () => (await redShare(server.display, game.id)) === 1);
    await game.move(-150, 450);
    await eventually(() => watch.geometry.x < 0);
    expect(await redShare(server.display, game.id)).toBe(1);

    await game.move(100, 100);
    await eventually(() => watch.geometry.x >= 100);
    await watch.release();
    await eventually(async () => ((await redShare(server.display, game.id)) ?? 1) < 0.9);
  });

  it('follows new content of a covered window', async () => {
    const opened = await display(server.display);
    const game = await shown(opened, { title: 'game', width: 300, height: 200, x: 100, y: 100, colour: BLUE });
    await opened.watchWindow(game.id, () => undefined);
    const cover = await shown(opened, { title: 'cover', width: 400, height: 300, x: 90, y: 60, colour: BLUE });
    await cover.raise();
    await game.fill(RED);
    expect(await redShare(server.display, game.id)).toBe(1);
  });

  it('tells of moving, resizing, unmapping, mapping and closing, in order', async () => {
    const opened = await display(server.display);
    const game = await shown(opened, { title: 'game', width: 300, height: 200, x: 100, y: 100 });
    const events: WindowEvent[] = [];
    const watch = await opened.watchWindow(game.id, (event) => events.push(event));
    expect(watch).toMatchObject({ id: game.id, mapped: true });
    expect(watch.geometry).toMatchObject({ width: 300, height: 200 });

    await game.resize(400, 250);
    await eventually(() => watch.geometry.width === 400 && watch.geometry.height === 250);
    const before = watch.geometry;
    await game.move(20, 10);
    await eventually(() => watch.geometry.x < before.x && watch.geometry.y < before.y);
    expect(events.at(-1)).toEqual({ type: 'geometry', ...watch.geometry });
    const [listed] = (await opened.listWindows()).filter((one) => one.id === game.id);
    expect(listed).toMatchObject(watch.geometry);

    await game.unmap();
    await eventually(() => !watch.mapped);
    await game.map();
    await eventually(() => watch.mapped);
    await game.close();
    await eventually(() => events.at(-1)?.type === 'gone');
    const lifecycle = events.map((event) => event.type).filter((type) => type !== 'geometry');
    // A window manager withdraws a window before it is destroyed, and may map its frame in several steps.
    expect(lifecycle.slice(0, 2)).toEqual(['unmapped', 'mapped']);
    expect(lifecycle.filter((type) => type === 'gone')).toEqual(['gone']);
    await watch.release();
  });

  it('can be held twice; the window stays whole until the last release', async () => {
    const opened = await display(server.display);
    const game = await shown(opened, { title: 'game', width: 300, height: 200, x: 100, y: 100, colour: RED });
    const cover = await shown(opened, { title: 'cover', width: 300, height: 200, x: 200, y: 150, colour: BLUE });
    await cover.raise();
    const events: string[] = [];
    const first = await opened.watchWindow(game.id, () => undefined);
    const second = await opened.watchWindow(game.id, () => undefined);
    await first.release();
    await first.release();
    expect(await redShare(server.display, game.id)).toBe(1);
    await second.release();
    expect(await redShare(server.display, game.id)).toBeLessThan(0.9);
    const third = await opened.watchWindow(game.id, (event) => events.push(event.type));
    await game.close();
    await eventually(() => events.includes('gone'));
    await third.release();
  });

  it('lives beside a compositor that holds the window', async () => {
    const opened = await display(server.display);
    const game = await shown(opened, { title: 'game', width: 300, height: 200, x: 100, y: 100, colour: RED });
    const compositor = await connect(server.display);
    cleanups.push(() => compositor.close());
    const composite = await compositor.extension<XComposite>((reply) => compositor.client.require('composite', reply));
    if (!composite) throw new Error('Xvfb has Composite');
    await compositor.checked(() => composite.RedirectWindow(game.id, composite.Redirect.Manual));
    const cover = await shown(opened, { title: 'cover', width: 300, height: 200, x: 200, y: 150, colour: BLUE });
    await cover.raise();
    const watch = await opened.watchWindow(game.id, () => undefined);
    expect(watch.redirected).toBe(true);
    expect(await redShare(server.display, game.id)).toBe(1);
    await watch.release();
    expect(await redShare(server.display, game.id)).toBe(1);
  });

  it('refuses a window that is not there', async () => {
    const opened = await display(server.display);
    await expect(opened.watchWindow(0x7fffff, () => undefined)).rejects.toMatchObject({ code: 'no-window' });
  });
});
