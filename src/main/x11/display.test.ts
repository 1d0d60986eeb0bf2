import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endChild, startOpenbox, startWindow, startXvfb } from '../../../test/support/xvfb.ts';
import type { TestWindow, TestWindowOptions, Xvfb } from '../../../test/support/xvfb.ts';
import { openDisplay } from './display.ts';
import type { X11Display } from './display.ts';
import type { X11Window } from './windows.ts';

const run = promisify(execFile);

/** Every resource of a test, ended after it whatever happened. */
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
/** Lists until the wanted thing is there: a window manager answers later than the server. */
async function listUntil(
  opened: X11Display,
  ready: (windows: readonly X11Window[]) => boolean,
): Promise<readonly X11Window[]> {
  let windows: readonly X11Window[] = [];
  await expect
    .poll(
      async () => {
        windows = await opened.listWindows();
        return ready(windows);
      },
      { timeout: 10_000, interval: 50 },
    )
    .toBe(true);
  return windows;
}

describe('without a window manager', () => {
  let server: Xvfb;
  beforeAll(async () => {
    server = await startXvfb({ width: 800, height: 600 });
  });
  afterAll(() => server.stop());

  it('lists titled windows with everything known about them', async () => {
    const opened = await display(server.display);
    const made = await window({
      display: server.display,
      title: 'Nürburgring 日本 🏁',
      width: 320,
      height: 200,
      x: 40,
      y: 30,
    });
    expect(await opened.listWindows()).toEqual([
      {
        id: made.id,
        title: 'Nürburgring 日本 🏁',
        className: 'TestWindow',
        instanceName: 'test-window',
        pid: process.pid,
        processName: expect.stringMatching(/./) as unknown,
        x: 40,
        y: 30,
        width: 320,
        height: 200,
        viewable: true,
        minimised: false,
      },
    ]);
  });

  it('reads Latin-1 titles of old programs', async () => {
    const opened = await display(server.display);
    await window({ display: server.display, title: 'Café Spa', width: 100, height: 100, oldTitle: true });
    expect((await opened.listWindows()).map((one) => one.title)).toEqual(['Café Spa']);
  });

  it('leaves out menus, docks, single pixels, hidden and untitled windows', async () => {
    const opened = await display(server.display);
    const base = { display: server.display, width: 100, height: 100 };
    await window({ ...base, title: 'menu', overrideRedirect: true });
    await window({ ...base, title: 'dock', type: '_NET_WM_WINDOW_TYPE_DOCK' });
    await window({ ...base, title: 'pixel', width: 1, height: 1 });
    await window({ ...base, title: 'hidden', hidden: true });
    await window({ ...base, title: ' \n' });
    await window({ ...base, title: 'real' });
    expect((await opened.listWindows()).map((one) => one.title)).toEqual(['real']);
  });

  it('survives windows that come and go while it lists', async () => {
    const opened = await display(server.display);
    const base = { display: server.display, width: 60, height: 60 };
    await window({ ...base, title: 'steady' });
    const enough = new AbortController();
    const churn = (async () => {
      for (let i = 0; !enough.signal.aborted; i++) {
        const brief = await startWindow({ ...base, title: `brief ${i}` });
        await brief.close();
      }
    })();
    try {
      for (let i = 0; i < 60; i++) {
        const titles = (await opened.listWindows()).map((one) => one.title);
        expect(titles).toContain('steady');
      }
    } finally {
      enough.abort();
      await churn;
    }
  });

  it('lists the monitor', async () => {
    const opened = await display(server.display);
    expect(await opened.listScreens()).toEqual([
      { index: 0, name: expect.any(String) as unknown, x: 0, y: 0, width: 800, height: 600, primary: true },
    ]);
  });

  it('tells of windows that came, were renamed, resized and went', async () => {
    const opened = await display(server.display);
    let notices = 0;
    opened.onWindowsChanged(() => notices++);
    await expect.poll(() => notices, { timeout: 3000, interval: 20 }).toBe(1);
    const settles = async (act: () => Promise<unknown>): Promise<void> => {
      const before = notices;
      await act();
      await expect.poll(() => notices, { timeout: 3000, interval: 20 }).toBeGreaterThan(before);
    };
    let made: TestWindow | undefined;
    await settles(async () => {
      made = await window({ display: server.display, title: 'one', width: 100, height: 100 });
    });
    await settles(async () => made?.rename('two'));
    expect((await opened.listWindows()).map((one) => one.title)).toEqual(['two']);
    await settles(async () => made?.resize(200, 150));
    await settles(async () => made?.unmap());
    expect(await opened.listWindows()).toEqual([]);
    await settles(async () => made?.map());
    await settles(async () => made?.close());
  });

  it('stops telling once unsubscribed', async () => {
    const opened = await display(server.display);
    let notices = 0;
    let others = 0;
    const unsubscribe = opened.onWindowsChanged(() => notices++);
    opened.onWindowsChanged(() => others++);
    unsubscribe();
    await window({ display: server.display, title: 'late', width: 100, height: 100 });
    await expect.poll(() => others, { timeout: 3000, interval: 20 }).toBeGreaterThan(0);
    expect(notices).toBe(0);
  });
});

describe('with openbox', () => {
  let server: Xvfb;
  let manager: { stop: () => Promise<void> } | undefined;
  beforeAll(async () => {
    server = await startXvfb({ width: 800, height: 600 });
    manager = await startOpenbox(server.display);
  });
  afterAll(async () => {
    await manager?.stop();
    await server.stop();
  });

  it('lists the client, not its frame, and where it is on the screen', async () => {
    const opened = await display(server.display);
    const made = await window({
      display: server.display,
      title: 'Assetto Corsa',
      width: 300,
      height: 200,
      x: 100,
      y: 80,
    });
    const [found] = await listUntil(opened, ([one]) => one?.viewable === true);
    expect(found).toMatchObject({ id: made.id, title: 'Assetto Corsa', width: 300, height: 200, minimised: false });
    // The decoration moves the client inside its frame.
    expect(found?.x).toBeGreaterThanOrEqual(100);
    expect(found?.y).toBeGreaterThan(80);
  });

  it('knows a real program’s window by title, class and process', async () => {
    const opened = await display(server.display);
    const pattern = ['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=5'];
    const player = spawn('ffplay', ['-loglevel', 'quiet', '-an', ...pattern, '-window_title', 'Assetto Corsa'], {
      env: { ...process.env, DISPLAY: server.display, SDL_VIDEODRIVER: 'x11', SDL_AUDIODRIVER: 'dummy' },
      stdio: 'ignore',
    });
    cleanups.push(() => endChild(player));
    const [found] = await listUntil(opened, ([one]) => one?.viewable === true && one.title.startsWith('Assetto'));
    expect(found).toMatchObject({
      title: 'Assetto Corsa',
      className: 'ffplay',
      pid: player.pid,
      processName: 'ffplay',
      height: 240,
    });
  });

  it('keeps minimised windows in the list and says so', async () => {
    const opened = await display(server.display);
    const made = await window({ display: server.display, title: 'Small', width: 300, height: 200 });
    await listUntil(opened, ([one]) => one?.viewable === true);
    await iconify(server.display, made.id);
    const [found] = await listUntil(opened, ([one]) => one?.minimised === true);
    expect(found).toMatchObject({ id: made.id, viewable: false });
  });

  it('tells of a rename', async () => {
    const opened = await display(server.display);
    const made = await window({ display: server.display, title: 'before', width: 300, height: 200 });
    await listUntil(opened, ([one]) => one?.viewable === true);
    const titles: string[] = [];
    opened.onWindowsChanged(() => {
      void opened.listWindows().then((windows) => titles.push(...windows.map((one) => one.title)));
    });
    // The second one comes when nothing else is going on that could bring a notice.
    for (const title of ['after', 'and again']) {
      await made.rename(title);
      await expect.poll(() => titles.at(-1), { timeout: 5000, interval: 50 }).toBe(title);
    }
  });
});

describe('a connection', () => {
  it('says when there is no such display, and when the name is none', async () => {
    await expect(openDisplay(':4711')).rejects.toMatchObject({ name: 'X11Error', code: 'unreachable' });
    await expect(openDisplay('nonsense')).rejects.toMatchObject({ code: 'unreachable' });
    await expect(openDisplay(':4711', AbortSignal.abort())).rejects.toMatchObject({ code: 'closed' });
  });

  it('gives up on a server that accepts and never answers', async () => {
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const address = mute.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const sockets: { destroy: () => void }[] = [];
    mute.on('connection', (socket) => sockets.push(socket));
    try {
      const started = Date.now();
      await expect(openDisplay(`127.0.0.1:${address.port - 6000}`)).rejects.toMatchObject({ code: 'timeout' });
      expect(Date.now() - started).toBeLessThan(8000);
    } finally {
      for (const socket of sockets) socket.destroy();
      mute.close();
    }
  });

  it('reports a killed server once, and fails what is asked of it then', async () => {
    const server = await startXvfb({ width: 320, height: 240 });
    const opened = await openDisplay(server.display);
    const made = await startWindow({ display: server.display, title: 'doomed', width: 100, height: 100 });
    const events: string[] = [];
    opened.onWindowsChanged(() => undefined);
    await opened.grabKey({ keysyms: [0xffc6], modifiers: [] }, () => undefined);
    const watch = await opened.watchWindow(made.id, (event) => events.push(event.type));
    let times = 0;
    const lost = new Promise((resolve) => {
      opened.onLost((error) => {
        times++;
        resolve(error);
      });
    });
    const asked = Promise.allSettled(Array.from({ length: 20 }, () => opened.listWindows()));
    process.kill(server.pid, 'SIGKILL');
    expect(await lost).toMatchObject({ code: 'lost' });
    for (const result of await asked)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'lost' });
    await expect(opened.listWindows()).rejects.toMatchObject({ code: 'lost' });
    await watch.release();
    await opened.close();
    await server.stop();
    expect(times).toBe(1);
    expect(await new Promise((resolve) => opened.onLost(resolve))).toMatchObject({ code: 'lost' });
  });

  it('does not call a close a loss', async () => {
    const server = await startXvfb({ width: 320, height: 240 });
    try {
      const opened = await openDisplay(server.display);
      let lost = false;
      opened.onLost(() => {
        lost = true;
      });
      await opened.close();
      await expect(opened.listScreens()).rejects.toMatchObject({ code: 'closed' });
      expect(lost).toBe(false);
    } finally {
      await server.stop();
    }
  });
});

/** Asks the window manager to minimise, as a panel would. */
async function iconify(name: string, id: number): Promise<void> {
  await run('xdotool', ['windowminimize', String(id)], { env: { ...process.env, DISPLAY: name }, timeout: 5000 });
}
