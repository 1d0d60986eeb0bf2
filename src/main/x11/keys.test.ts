import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startXvfb } from '../../../test/support/xvfb.ts';
import type { Xvfb } from '../../../test/support/xvfb.ts';
import { parseAccelerator } from './accelerator.ts';
import type { KeyCombination } from './accelerator.ts';
import { connect } from './connection.ts';
import { openDisplay } from './display.ts';
import type { X11Display } from './display.ts';

const run = promisify(execFile);

describe('grabKey', () => {
  let server: Xvfb;
  let opened: X11Display;
  beforeAll(async () => {
    server = await startXvfb({ width: 320, height: 240 });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    opened = await openDisplay(server.display);
  });
  afterEach(() => opened.close());

  const xdotool = (...args: string[]): Promise<unknown> =>
    run('xdotool', args, { env: { ...process.env, DISPLAY: server.display }, timeout: 10_000 });

  /** A counting grab. Presses come before the answer to a later request, so a round trip settles the count. */
  async function counted(
    accelerator: string,
  ): Promise<{ presses: () => Promise<number>; release: () => Promise<void> }> {
    let count = 0;
    const grab = await opened.grabKey(combination(accelerator), () => count++);
    return {
      presses: async () => {
        await opened.listWindows();
        return count;
      },
      release: () => grab.release(),
    };
  }

  it('calls back exactly once for each press', async () => {
    const f9 = await counted('F9');
    await xdotool('key', 'F9');
    expect(await f9.presses()).toBe(1);
    await xdotool('key', '--delay', '40', 'F9', 'F9', 'F8', 'F9');
    expect(await f9.presses()).toBe(4);
  });

  it.each(['Num_Lock', 'Caps_Lock'])('does not mind %s', async (lock) => {
    const f9 = await counted('F9');
    const combined = await counted('Control+Shift+R');
    await xdotool('key', lock);
    try {
      await xdotool('key', 'F9');
      await xdotool('key', 'ctrl+shift+r');
      expect(await f9.presses()).toBe(1);
      expect(await combined.presses()).toBe(1);
    } finally {
      await xdotool('key', lock);
    }
  });

  it('calls back once for a key that is held until it repeats', async () => {
    const f9 = await counted('F9');
    // Without a grab the same press is seen to repeat: X repeats after 660 ms, 25 times a second.
    await xdotool('keydown', 'F9', 'sleep', '1.2', 'keyup', 'F9');
    expect(await f9.presses()).toBe(1);
    await xdotool('key', 'F9');
    expect(await f9.presses()).toBe(2);
  });

  it('tells modifiers apart', async () => {
    const plain = await counted('F9');
    const shifted = await counted('Shift+F9');
    await xdotool('key', 'shift+F9');
    await xdotool('key', 'alt+F9');
    expect(await plain.presses()).toBe(0);
    expect(await shifted.presses()).toBe(1);
  });

  it('hears nothing after release, and the key is free for others', async () => {
    const f9 = await counted('F9');
    await f9.release();
    await xdotool('key', 'F9');
    expect(await f9.presses()).toBe(0);
    const other = await openDisplay(server.display);
    try {
      await (await other.grabKey(combination('F9'), () => undefined)).release();
    } finally {
      await other.close();
    }
  });

  it('says that another program, or we ourselves, hold the key, and works once it is free', async () => {
    const other = await openDisplay(server.display);
    try {
      const theirs = await other.grabKey(combination('F9'), () => undefined);
      await expect(opened.grabKey(combination('F9'), () => undefined)).rejects.toMatchObject({ code: 'taken' });
      // A failed attempt must leave nothing grabbed that would disturb the holder or a retry.
      await theirs.release();
      const f9 = await counted('F9');
      await expect(opened.grabKey(combination('F9'), () => undefined)).rejects.toMatchObject({ code: 'taken' });
      await xdotool('key', 'F9');
      expect(await f9.presses()).toBe(1);
    } finally {
      await other.close();
    }
  });

  it('says that the keyboard has no such key', async () => {
    const nowhere = { keysyms: [0x1008ffb9], modifiers: [] };
    await expect(opened.grabKey(nowhere, () => undefined)).rejects.toMatchObject({ code: 'unknown-key' });
  });

  it('follows the key when the keyboard changes', async () => {
    const connection = await connect(server.display);
    try {
      const { client, display } = connection;
      const spare = display.max_keycode;
      const put = (keysym: number): Promise<void> =>
        connection.checked(() => client.ChangeKeyboardMapping(spare, 1, [keysym]));
      await put(0x1008ffb8);
      let count = 0;
      await opened.grabKey({ keysyms: [0x1008ffb8], modifiers: [] }, () => count++);
      const moved = spare - 1;
      await connection.checked(() => client.ChangeKeyboardMapping(moved, 2, [0x1008ffb8, 0, 0, 0]));
      await expect
        .poll(
          async () => {
            await xdotool('key', String(moved));
            return count;
          },
          { timeout: 5000, interval: 100 },
        )
        .toBeGreaterThan(0);
    } finally {
      await connection.close();
    }
  });
});

function combination(accelerator: string): KeyCombination {
  const parsed = parseAccelerator(accelerator);
  if (!parsed) throw new Error(`${accelerator} is no accelerator`);
  return parsed;
}
