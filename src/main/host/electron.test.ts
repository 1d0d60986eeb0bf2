/**
 * The desktop host against a double of Electron (its binary cannot be downloaded everywhere these tests run). It proves what our
 * code asks of Electron and how it answers; it does not prove that Electron does it: window, protocol, hotkeys and
 * utilityProcess of a real Electron are not exercised here.
 */
import { EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectContract } from '../../contract/wire/client.ts';
import { portWire } from '../../contract/wire/port.ts';
import { serveContract } from '../../contract/wire/server.ts';

type PageHandler = (request: Request) => Promise<Response>;

const double = vi.hoisted(() => ({
  handlers: new Map<string, (request: Request) => Promise<Response>>(),
  fetched: [] as { url: string; headers: unknown }[],
  taken: new Set<string>(),
  keyRing: 'gnome_libsecret',
  windows: [] as { options: { webPreferences: Record<string, unknown> }; contents: EventEmitter; posted: unknown[] }[],
}));

vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  class BrowserWindow extends Emitter {
    webContents: EventEmitter;
    constructor(options: { webPreferences: Record<string, unknown> }) {
      super();
      const posted: unknown[] = [];
      this.webContents = Object.assign(new Emitter(), {
        setWindowOpenHandler: (decide: () => { action: string }) => (options.webPreferences['opens'] = decide().action),
        getURL: () => 'pitwall://studio/',
        postMessage: (...message: unknown[]) => posted.push(message),
      });
      double.windows.push({ options, contents: this.webContents, posted });
    }
    loadURL = async (): Promise<void> => {
      await Promise.resolve();
      this.webContents.emit('did-finish-load');
    };
    show = vi.fn();
  }
  class MessageChannelMain {
    port1 = Object.assign(new Emitter(), { postMessage: vi.fn(), start: vi.fn(), close: vi.fn() });
    port2 = {};
  }
  return {
    BrowserWindow,
    MessageChannelMain,
    Notification: { isSupported: () => false },
    desktopCapturer: {
      getSources: async () =>
        Promise.resolve([
          { id: 'window:4194312:0', thumbnail: { isEmpty: () => false, toJPEG: () => Buffer.from('jpeg') } },
          { id: 'window:5:0', thumbnail: { isEmpty: () => true, toJPEG: () => Buffer.alloc(0) } },
          { id: 'screen:77:0', thumbnail: { isEmpty: () => false, toJPEG: () => Buffer.from('screen') } },
        ]),
    },
    globalShortcut: {
      register: (key: string) => !double.taken.has(key),
      isRegistered: (key: string) => !double.taken.has(key),
      unregister: vi.fn(),
    },
    net: {
      fetch: async (url: string, init: { headers?: unknown }) => {
        double.fetched.push({ url, headers: init.headers });
        return Promise.resolve(new Response('from the engine', { status: 206 }));
      },
    },
    protocol: {
      registerSchemesAsPrivileged: vi.fn(),
      handle: (scheme: string, handler: PageHandler) => double.handlers.set(scheme, handler),
    },
    safeStorage: {
      isAsyncEncryptionAvailable: async () => Promise.resolve(double.keyRing !== 'none'),
      getSelectedStorageBackend: () => double.keyRing,
      encryptStringAsync: async (text: string) => Promise.resolve(Buffer.from(text).reverse()),
      decryptStringAsync: async (sealed: Buffer) =>
        Promise.resolve({ result: Buffer.from(sealed).reverse().toString(), shouldReEncrypt: false }),
    },
    session: { defaultSession: { setPermissionRequestHandler: vi.fn(), setPermissionCheckHandler: vi.fn() } },
    shell: {
      openPath: async () => Promise.resolve('no such application'),
      showItemInFolder: vi.fn(),
      trashItem: vi.fn(),
    },
    utilityProcess: { fork: vi.fn() },
  };
});

const { STUDIO_ORIGIN, createElectronHost, electronHotkeys, electronPort, openWindow, servePages, sourceIdOf } =
  await import('./electron.ts');

describe('secrets', () => {
  it('are sealed by the system, and only where that means something', async () => {
    const box = createElectronHost().secrets;
    if (!box) throw new Error('no protection');
    const sealed = await box.seal('key');
    expect(Buffer.from(sealed).toString()).not.toContain('key');
    expect(await box.open(new Uint8Array(sealed))).toBe('key');
    expect(await box.available()).toBe(true);
    double.keyRing = 'none';
    expect(await box.available()).toBe(false);
    double.keyRing = 'basic_text';
    expect(await box.available()).toBe(process.platform !== 'linux');
    double.keyRing = 'gnome_libsecret';
  });
});

describe('the pages of the desktop shell', () => {
  let pages = '';
  const get = async (url: string, init?: RequestInit): Promise<Response> => {
    const handler = double.handlers.get('pitwall');
    if (!handler) throw new Error('no handler');
    return handler(new Request(url, init));
  };
  beforeAll(async () => {
    const root = await mkdtemp(path.join(os.tmpdir(), 'pitwall-pages-'));
    pages = path.join(root, 'renderer');
    await import('node:fs/promises').then(async ({ mkdir }) => mkdir(pages));
    await writeFile(path.join(root, 'secret.txt'), 'secret');
    await writeFile(path.join(pages, 'index.html'), '<h1>Pitwall</h1>');
    servePages(pages, () => 'http://127.0.0.1:1688/');
  });
  afterAll(async () => rm(path.dirname(pages), { recursive: true }));

  it('come from their folder', async () => {
    const page = await get(`${STUDIO_ORIGIN}/`);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('Pitwall');
    expect((await get(`${STUDIO_ORIGIN}/missing.js`)).status).toBe(404);
  });

  it('never from outside it, nor under another name', async () => {
    for (const url of [
      `${STUDIO_ORIGIN}/..%2fsecret.txt`,
      `${STUDIO_ORIGIN}/%2e%2e/secret.txt`,
      `${STUDIO_ORIGIN}/..%5csecret.txt`,
      'pitwall://other/',
    ]) {
      const answer = await get(url);
      expect(answer.status).toBe(404);
    }
  });

  it('reach clips through the engine, with their range and nothing else', async () => {
    const answer = await get(`${STUDIO_ORIGIN}/api/clips/x/file`, { headers: { range: 'bytes=0-', cookie: 'a=b' } });
    expect(answer.status).toBe(206);
    expect(double.fetched.at(-1)).toEqual({
      url: 'http://127.0.0.1:1688/api/clips/x/file',
      headers: { range: 'bytes=0-' },
    });
    expect((await get(`${STUDIO_ORIGIN}/api/capture/stop`, { method: 'POST' })).status).toBe(405);
  });
});

describe('the window', () => {
  it('is isolated, and its port goes to our page only', async () => {
    const ports: unknown[] = [];
    await openWindow({ preload: 'preload.cjs', onConnect: (port) => ports.push(port) });
    const [window] = double.windows;
    expect(window?.options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      opens: 'deny',
    });
    expect(ports).toHaveLength(1);
    expect(window?.posted).toHaveLength(1);
    const navigation = { preventDefault: vi.fn() };
    window?.contents.emit('will-navigate', navigation, `${STUDIO_ORIGIN}/`);
    expect(navigation.preventDefault).not.toHaveBeenCalled();
    window?.contents.emit('will-navigate', navigation, 'https://example.org/');
    expect(navigation.preventDefault).toHaveBeenCalledOnce();
  });
});

describe('hotkeys', () => {
  it('report a key that another program holds', async () => {
    double.taken.add('F9');
    await expect(electronHotkeys.register('F9', () => undefined)).rejects.toMatchObject({ code: 'hotkey-unavailable' });
    const held = await electronHotkeys.register('F8', () => undefined);
    await held.release();
  });
});

describe('the host', () => {
  it('maps thumbnails to our source ids', async () => {
    expect(sourceIdOf('window:4194312:0', 0)).toBe('window:0x400008');
    expect(sourceIdOf('nonsense', 0)).toBeUndefined();
    const pictures = await createElectronHost().thumbnails?.(AbortSignal.timeout(1000));
    expect([...(pictures?.keys() ?? [])]).toEqual(['window:0x400008', 'screen:0']);
  });

  it('says where a folder is when it cannot be opened', async () => {
    await expect(createElectronHost().openFolder('/clips')).rejects.toMatchObject({
      code: 'not-supported',
      remedy: 'It is /clips.',
    });
  });
});

describe('a main-side port', () => {
  it('carries the contract', async () => {
    const { port1, port2 } = new MessageChannel();
    // worker_threads ports emit the message itself, Electron's main-side port an event that holds it
    const main = Object.assign(new EventEmitter(), {
      postMessage: (message: unknown) => port1.postMessage(message),
      start: () => port1.start(),
      close: () => port1.close(),
    });
    port1.on('message', (data: unknown) => main.emit('message', { data }));
    port1.on('close', () => main.emit('close'));
    serveContract(portWire(electronPort(main)), new Map(), { onError: () => undefined });
    const client = connectContract(
      portWire({
        postMessage: (message) => port2.postMessage(message),
        start: () => port2.start(),
        close: () => port2.close(),
        addEventListener: (type: 'message' | 'close', listener: (event: { data: unknown }) => void) => {
          port2.on(type, (data: unknown) => listener({ data }));
        },
      }),
    );
    const { procedures } = await import('../../contract/procedures.ts');
    await expect(client.call(procedures.stopCapture, undefined)).rejects.toMatchObject({ code: 'bad-request' });
    client.close();
  });
});
