import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { hostname } from 'node:os';
import { Readable } from 'node:stream';
import x11 from 'x11';
import type { XClient, XDisplay, XProperty } from 'x11';

const START_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 3000;

export interface Xvfb {
  /** display name, `:N` */
  readonly display: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts an X server of its own on a free display. Errors: rejects if it is not ready within 15 s. */
export async function startXvfb({ width, height }: { width: number; height: number }): Promise<Xvfb> {
  const args = ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-noreset'];
  const child = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const numbers = child.stdio[3];
  if (!(numbers instanceof Readable)) throw new Error('Xvfb gave no pipe for its display number');
  try {
    const number = await within(START_DEADLINE_MS, 'Xvfb to start', firstLine(child, numbers));
    if (child.pid === undefined) throw new Error('Xvfb has no process');
    return { display: `:${number}`, pid: child.pid, stop: () => endChild(child) };
  } catch (error) {
    await endChild(child);
    throw error;
  }
}

/** Starts openbox and resolves once it manages the display. */
export async function startOpenbox(display: string): Promise<{ stop: () => Promise<void> }> {
  const child = spawn('openbox', [], { env: { ...process.env, DISPLAY: display }, stdio: 'ignore' });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`openbox ended with ${String(code)}`)));
  });
  const connection = await openClient(display);
  try {
    await within(START_DEADLINE_MS, 'openbox to start', Promise.race([failed, managed(connection)]));
    return { stop: () => endChild(child) };
  } catch (error) {
    await endChild(child);
    throw error;
  } finally {
    await endClient(connection.client);
  }
}

export interface TestWindowOptions {
  readonly display: string;
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly x?: number;
  readonly y?: number;
  /** 0xRRGGBB */
  readonly colour?: number;
  /** put the title into WM_NAME as Latin-1 only, as old programs do */
  readonly oldTitle?: boolean;
  readonly overrideRedirect?: boolean;
  /** atom name for _NET_WM_WINDOW_TYPE */
  readonly type?: string;
  /** create it unmapped */
  readonly hidden?: boolean;
}

/** A real window, held by a connection of its own. Each method resolves once the X server has done it (a window manager may be later). */
export interface TestWindow {
  readonly id: number;
  /** 0xRRGGBB */
  fill(colour: number): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  move(x: number, y: number): Promise<void>;
  rename(title: string): Promise<void>;
  raise(): Promise<void>;
  /** WM_PROTOCOLS: what it says it takes part in; it answers nothing of it */
  setProtocols(names: readonly string[]): Promise<void>;
  unmap(): Promise<void>;
  map(): Promise<void>;
  /** Destroys the window and ends the connection. */
  close(): Promise<void>;
}

export async function startWindow(options: TestWindowOptions): Promise<TestWindow> {
  const { display, title, width, height, x = 0, y = 0, colour = 0x204060, oldTitle = false } = options;
  const opened = await openClient(display);
  const { client } = opened;
  const root = opened.screen[0]?.root ?? 0;
  const id = client.AllocID();
  const done = (): Promise<void> => roundTrip(client);
  const atom = (name: string): Promise<number> => ask((reply) => client.InternAtom(false, name, reply));

  client.CreateWindow(id, root, x, y, width, height, 0, 0, 1, 0, {
    backgroundPixel: colour,
    overrideRedirect: options.overrideRedirect ? 1 : 0,
  });
  const set = async (property: string, type: string, format: 8 | 32, data: Buffer | number[]): Promise<void> =>
    client.ChangeProperty(0, id, await atom(property), await atom(type), format, data);
  const setTitle = async (text: string): Promise<void> => {
    await set('WM_NAME', 'STRING', 8, Buffer.from(text, 'latin1'));
    if (!oldTitle) await set('_NET_WM_NAME', 'UTF8_STRING', 8, Buffer.from(text, 'utf8'));
  };
  await setTitle(title);
  await set('WM_CLASS', 'STRING', 8, Buffer.from('test-window\0TestWindow\0', 'latin1'));
  await set('WM_CLIENT_MACHINE', 'STRING', 8, Buffer.from(hostname(), 'latin1'));
  await set('_NET_WM_PID', 'CARDINAL', 32, [process.pid]);
  // USPosition and USSize (ICCCM 4.1.2.3): a window manager then leaves position and size as asked.
  const hints = [3, x, y, width, height, ...new Array<number>(13).fill(0)];
  await set('WM_NORMAL_HINTS', 'WM_SIZE_HINTS', 32, hints);
  if (options.type !== undefined) await set('_NET_WM_WINDOW_TYPE', 'ATOM', 32, [await atom(options.type)]);
  if (!options.hidden) client.MapWindow(id);
  await done();

  const then = (work: () => void) => (): Promise<void> => {
    work();
    return done();
  };
  return {
    id,
    fill: (next) => {
      client.ChangeWindowAttributes(id, { backgroundPixel: next });
      client.ClearArea(id, 0, 0, 0, 0, 0);
      return done();
    },
    resize: (w, h) => then(() => client.ResizeWindow(id, w, h))(),
    move: (left, top) => then(() => client.MoveWindow(id, left, top))(),
    rename: async (text) => {
      await setTitle(text);
      await done();
    },
    raise: then(() => client.RaiseWindow(id)),
    setProtocols: async (names) => {
      await set('WM_PROTOCOLS', 'ATOM', 32, await Promise.all(names.map(atom)));
      await done();
    },
    unmap: then(() => client.UnmapWindow(id)),
    map: then(() => client.MapWindow(id)),
    close: async () => {
      if (client.stream?.destroyed !== false) return;
      client.DestroyWindow(id);
      await done();
      await endClient(client);
    },
  };
}

/** Ends a child: TERM, KILL after 3 s; resolves once it has exited. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

function firstLine(child: ChildProcess, stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\n')) resolve(text.trim());
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Xvfb ended with ${String(code)}`)));
  });
}

async function managed({ client, screen }: XDisplay): Promise<void> {
  const root = screen[0]?.root ?? 0;
  // Set last in its start; a window mapped before that may be overlooked by it.
  const check = await ask<number>((reply) => client.InternAtom(false, '_NET_CLIENT_LIST', reply));
  while (client.stream?.destroyed === false) {
    const found = await ask<XProperty>((reply) => client.GetProperty(0, root, check, 0, 0, 1, reply));
    if (found.type !== 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function openClient(display: string): Promise<XDisplay> {
  const opening = new Promise<XDisplay>((resolve, reject) => {
    const client = x11.createClient({ display, shm: false, disableBigRequests: true }, (error, opened) => {
      if (opened) {
        opened.client.atoms = {};
        resolve(opened);
      } else reject(error ?? new Error('no display'));
    });
    // Errors of tests that end their server under their windows are no news.
    client.on('error', () => undefined);
  });
  return within(START_DEADLINE_MS, `display ${display}`, opening);
}

function endClient(client: XClient): Promise<void> {
  const stream = client.stream;
  if (!stream || stream.destroyed) return Promise.resolve();
  const closed = new Promise<void>((resolve) => {
    stream.once('close', () => resolve());
  });
  client.terminate();
  return within(STOP_DEADLINE_MS, 'the X connection to close', closed);
}

function ask<T>(send: (reply: (error: Error | null | undefined, value: T) => boolean) => void): Promise<T> {
  const answer = new Promise<T>((resolve, reject) => {
    send((error, value) => {
      if (error) reject(error);
      else resolve(value);
      return true;
    });
  });
  return within(START_DEADLINE_MS, 'an X reply', answer);
}

async function roundTrip(client: XClient): Promise<void> {
  await ask<{ focus: number }>((reply) => client.GetInputFocus(reply));
}

async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
