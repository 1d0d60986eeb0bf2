import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startProgramWindow, type ProgramWindow } from '../../../test/support/program-window.ts';
import { until } from '../../../test/support/wait.ts';
import { startOpenbox, startWindow, startXvfb, type Xvfb } from '../../../test/support/xvfb.ts';
import { openDisplay, type X11Display } from './display.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const never = (): AbortSignal => new AbortController().signal;

describe.each([{ manager: false }, { manager: true }])('whether a window reacts (openbox: $manager)', ({ manager }) => {
  let server: Xvfb;
  let openbox: { stop: () => Promise<void> } | undefined;
  let x: X11Display;
  beforeAll(async () => {
    server = await startXvfb({ width: 800, height: 600 });
    if (manager) openbox = await startOpenbox(server.display);
    x = await openDisplay(server.display);
  });
  afterAll(async () => {
    await x.close();
    await openbox?.stop();
    await server.stop();
  });

  const game = async (): Promise<{ program: ProgramWindow; id: number }> => {
    const program = startProgramWindow({
      display: server.display,
      title: 'game',
      picture: 'color=c=navy:size=320x180',
    });
    cleanups.push(async () => program.stop());
    const ids = await until(
      'the window',
      10_000,
      async () =>
        (await x.listWindows()).filter(({ pid, viewable }) => viewable && pid === program.pid).map(({ id }) => id),
      (found) => found.length > 0,
    );
    return { program, id: ids[0] ?? 0 };
  };

  it('yes, however still its picture is', async () => {
    const { id } = await game();
    for (let i = 0; i < 3; i++) expect(await x.responds(id, never())).toBe('yes');
    // two at once are told apart
    expect(await Promise.all([x.responds(id, never()), x.responds(id, never())])).toEqual(['yes', 'yes']);
  });

  it('no, at once, while its process is stopped; yes when it goes on', async () => {
    const { program, id } = await game();
    program.signal('SIGSTOP');
    const asked = performance.now();
    await until('the stop', 2000, async () => (await x.responds(id, never())) === 'no');
    expect(performance.now() - asked).toBeLessThan(1000);
    program.signal('SIGCONT');
    await until('the answer', 5000, async () => (await x.responds(id, never())) === 'yes');
  });

  it('no, when it takes part in pings and leaves ours unanswered; unknown when it takes no part', async () => {
    const silent = await startWindow({ display: server.display, title: 'silent', width: 200, height: 100 });
    cleanups.push(() => silent.close());
    expect(await x.responds(silent.id, never())).toBe('unknown');
    await silent.setProtocols(['WM_DELETE_WINDOW', '_NET_WM_PING']);
    const asked = performance.now();
    expect(await x.responds(silent.id, never())).toBe('no');
    expect(performance.now() - asked).toBeLessThan(2500);
    const given = new AbortController();
    const answer = x.responds(silent.id, given.signal);
    given.abort();
    expect(await answer).toBe('unknown');
  });

  it('refuses a window that is not there', async () => {
    await expect(x.responds(0x7fffff, never())).rejects.toMatchObject({ code: 'no-window' });
  });
});
