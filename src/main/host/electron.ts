import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  BrowserWindow,
  MessageChannelMain,
  Notification,
  desktopCapturer,
  globalShortcut,
  net,
  protocol,
  safeStorage,
  session,
  shell,
  utilityProcess,
} from 'electron';
import { StudioError } from '../../contract/index.ts';
import type { PortLike } from '../../contract/wire/port.ts';
import type { Host, HotkeyService, NodeChild, SecretBox } from '../engine/host.ts';
import { LineSplitter } from '../engine/process/lines.ts';

/** The page's origin in the desktop shell: a scheme of our own, so that nothing else on this computer shares it. */
const SCHEME = 'pitwall';
export const STUDIO_ORIGIN = `${SCHEME}://studio`;
const THUMBNAILS_FRESH_MS = 5000;

/** Must run before Electron's `ready`. Secure and standard: WebCodecs and workers need a secure context. */
export function declareScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
  ]);
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

/** Serves the pages from their folder; `/api/*` is fetched from our own HTTP server, as a program on this computer would. */
export function servePages(pages: string, httpUrl: () => string): void {
  protocol.handle(SCHEME, async (request) => {
    const url = new URL(request.url);
    if (url.origin !== STUDIO_ORIGIN && `${url.protocol}//${url.host}` !== STUDIO_ORIGIN)
      return new Response(null, { status: 404 });
    if (url.pathname.startsWith('/api/')) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return new Response(null, { status: 405 });
      const range = request.headers.get('range');
      return net.fetch(new URL(url.pathname + url.search, httpUrl()).href, {
        method: request.method,
        ...(range === null ? {} : { headers: { range } }),
      });
    }
    const file = path.resolve(pages, `.${decodeURIComponent(url.pathname === '/' ? '/index.html' : url.pathname)}`);
    const inside = path.relative(pages, file);
    if (inside.startsWith('..') || path.isAbsolute(inside)) return new Response(null, { status: 404 });
    try {
      const bytes = await readFile(file);
      const type = CONTENT_TYPES[path.extname(file)] ?? 'application/octet-stream';
      return new Response(new Uint8Array(bytes), {
        headers: { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' },
      });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
}

export type WindowOptions = {
  preload: string;
  icon?: string;
  /** Called with one end of a fresh message channel each time our page has loaded. */
  onConnect: (port: PortLike) => void;
};

/** The studio's window: isolated, sandboxed, without Node, unable to leave our page or to ask for permissions. */
export async function openWindow({ preload, icon, onConnect }: WindowOptions): Promise<BrowserWindow> {
  // copying the live address is the one thing the page needs that Electron asks about
  const allowed = (permission: string): boolean => permission === 'clipboard-sanitized-write';
  session.defaultSession.setPermissionRequestHandler((_contents, permission, callback) =>
    callback(allowed(permission)),
  );
  session.defaultSession.setPermissionCheckHandler((_contents, permission) => allowed(permission));
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    minWidth: 720,
    minHeight: 540,
    title: 'Pitwall',
    backgroundColor: '#0b0d10',
    autoHideMenuBar: true,
    show: false,
    ...(icon === undefined ? {} : { icon }),
    webPreferences: {
      preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      backgroundThrottling: true,
    },
  });
  const contents = window.webContents;
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-navigate', (event, url) => {
    if (url !== `${STUDIO_ORIGIN}/`) event.preventDefault(); // its own reload may pass
  });
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.on('did-finish-load', () => {
    // the port is the whole of what the page can do: only our own page gets it
    if (!contents.getURL().startsWith(`${STUDIO_ORIGIN}/`)) return;
    const { port1, port2 } = new MessageChannelMain();
    onConnect(electronPort(port1));
    contents.postMessage('pitwall:port', null, [port2]);
  });
  window.once('ready-to-show', () => window.show());
  await window.loadURL(`${STUDIO_ORIGIN}/`);
  return window;
}

/** The part of Electron's `MessagePortMain` we use. */
export type MainPort = {
  postMessage(message: unknown): void;
  start(): void;
  close(): void;
  on(event: 'message', listener: (message: { data: unknown }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
};

/** Electron's main-side port speaks EventEmitter; the wire wants the DOM's shape. */
export function electronPort(port: MainPort): PortLike {
  function addEventListener(type: 'message' | 'close', listener: (event: { data: unknown }) => void): void {
    if (type === 'message') port.on('message', ({ data }: { data: unknown }) => listener({ data }));
    else port.on('close', () => listener({ data: undefined }));
  }
  return {
    postMessage: (message) => port.postMessage(message),
    start: () => port.start(),
    close: () => port.close(),
    addEventListener,
  };
}

/** Electron says `false` for a key that another program holds; some systems say `true` and are asked again. */
export const electronHotkeys: HotkeyService = {
  register: async (accelerator, onPress) => {
    let registered = false;
    let cause: unknown;
    try {
      registered = globalShortcut.register(accelerator, onPress) && globalShortcut.isRegistered(accelerator);
    } catch (thrown) {
      cause = thrown;
    }
    if (!registered) {
      throw new StudioError(
        'hotkey-unavailable',
        `The key ${accelerator} is used by another program.`,
        'Choose another key in the settings.',
        { cause },
      );
    }
    return Promise.resolve({
      release: async () => {
        globalShortcut.unregister(accelerator);
        return Promise.resolve();
      },
    });
  },
};

/** One of our modules in Electron's utilityProcess, as the engine sees any Node child. */
function forkUtility(modulePath: string, args: readonly string[]): NodeChild {
  const child = utilityProcess.fork(modulePath, [...args], {
    stdio: 'pipe',
    serviceName: path.basename(modulePath, '.js'),
  });
  return {
    get pid() {
      return child.pid;
    },
    postMessage: (message) => child.postMessage(message),
    onMessage: (listener) => void child.on('message', (message: unknown) => listener(message)),
    onLine(listener) {
      for (const stream of [child.stdout, child.stderr]) {
        const splitter = new LineSplitter();
        stream?.on('data', (chunk: Buffer) => splitter.push(chunk.toString('utf8')).forEach(listener));
      }
    },
    onExit: (listener) => void child.on('exit', (code) => listener({ code, signal: null })),
    terminate: () => void child.kill(),
    kill: () => {
      // utilityProcess.kill asks politely; a child that does not listen is ended by its pid
      if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
    },
  };
}

/** `window:XID:0` and `screen:ID:0` of desktopCapturer as the ids of our own source list. */
export function sourceIdOf(capturerId: string, screenIndex: number): string | undefined {
  const window = /^window:(\d+):/.exec(capturerId);
  if (window?.[1] !== undefined) return `window:0x${Number(window[1]).toString(16)}`;
  return capturerId.startsWith('screen:') ? `screen:${screenIndex}` : undefined;
}

async function captureThumbnails(): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  let screens = 0;
  for (const source of await desktopCapturer.getSources({
    types: ['window', 'screen'],
    thumbnailSize: { width: 320, height: 180 },
  })) {
    const id = sourceIdOf(source.id, source.id.startsWith('screen:') ? screens++ : 0);
    if (id !== undefined && !source.thumbnail.isEmpty()) found.set(id, source.thumbnail.toJPEG(80));
  }
  return found;
}

/**
 * Keychain, DPAPI, or the desktop's key ring. Without a key ring Electron on Linux would "encrypt" with a password that everybody knows
 * (`basic_text`), which protects nothing.
 */
const electronSecrets: SecretBox = {
  available: async () =>
    (await safeStorage.isAsyncEncryptionAvailable()) &&
    (process.platform !== 'linux' || safeStorage.getSelectedStorageBackend() !== 'basic_text'),
  seal: async (text) => safeStorage.encryptStringAsync(text),
  open: async (sealed) => (await safeStorage.decryptStringAsync(Buffer.from(sealed))).result,
};

/** The desktop shell's `Host`. */
export function createElectronHost(): Host {
  let cached: { at: number; pictures: Promise<ReadonlyMap<string, Uint8Array>> } | undefined;
  return {
    shell: 'desktop',
    secrets: electronSecrets,
    hotkeys: electronHotkeys,
    thumbnails: async () => {
      // one grab serves a whole picker of cards
      if (!cached || performance.now() - cached.at > THUMBNAILS_FRESH_MS)
        cached = { at: performance.now(), pictures: captureThumbnails() };
      return cached.pictures;
    },
    async openFolder(folder) {
      const failure = await shell.openPath(folder);
      if (failure !== '')
        throw new StudioError('not-supported', 'The folder could not be opened.', `It is ${folder}.`, {
          cause: new Error(failure),
        });
    },
    revealFile: async (file) => {
      shell.showItemInFolder(file);
      return Promise.resolve();
    },
    notify(title, body) {
      if (Notification.isSupported()) new Notification({ title, body, silent: true }).show();
    },
    moveToTrash: async (file) => shell.trashItem(file),
    forkNode: forkUtility,
  };
}
