/** The studio in Electron: a window, global hotkeys, the same engine. Flags: DESIGN section 3, `cli.ts`. */
import path from 'node:path';
import process from 'node:process';
import { BrowserWindow, app } from 'electron';
import { portWire } from '../contract/wire/port.ts';
import { serveContract } from '../contract/wire/server.ts';
import { boot, explain, version, type Booted } from './boot.ts';
import { HELP, parseCommandLine, type Flags } from './cli.ts';
import { setupTestInTerminal } from './setup-test-cli.ts';
import { STUDIO_ORIGIN, createElectronHost, declareScheme, openWindow, servePages } from './host/electron.ts';

const CLOSE_MS = 10_000;

async function run(flags: Flags): Promise<void> {
  let studio: Booted | undefined;
  let ended = false;
  const end = async (code: number): Promise<void> => {
    if (ended) return;
    ended = true;
    setTimeout(() => app.exit(1), CLOSE_MS).unref();
    await studio?.close();
    app.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
  app.on('before-quit', (event) => {
    if (ended) return;
    event.preventDefault();
    void end(0);
  });
  app.on('window-all-closed', () => app.quit());
  app.on('second-instance', () => {
    const [window] = BrowserWindow.getAllWindows();
    if (window?.isMinimized() === true) window.restore();
    window?.focus();
  });

  await app.whenReady();
  try {
    const booted = await boot({
      flags,
      builtFolder: import.meta.dirname,
      createHost: async () => Promise.resolve(createElectronHost()),
    });
    studio = booted;
    if (flags.setupTest) {
      await end(await setupTestInTerminal(booted.engine, flags.json));
      return;
    }
    servePages(path.resolve(import.meta.dirname, '../renderer'), () => booted.url);
    const { rtmp } = booted.engine.state;
    process.stdout.write(
      `${JSON.stringify({ event: 'ready', url: booted.url, rtmp: rtmp.state === 'up' ? rtmp.url : null, pid: process.pid })}\n`,
    );
    if (!flags.headless) {
      await openWindow({
        preload: path.resolve(import.meta.dirname, '../preload/index.cjs'),
        onConnect: (port) =>
          serveContract(portWire(port), booted.handlers, {
            onError: (name, thrown) => booted.log.error({ err: thrown, origin: STUDIO_ORIGIN }, `${name} failed`),
          }),
      });
    }
    if (flags.start && flags.source !== undefined) {
      await booted.engine
        .startCapture({ source: flags.source })
        .catch((thrown: unknown) => booted.log.warn({ err: thrown }, explain(thrown)));
    }
  } catch (thrown) {
    process.stderr.write(`${explain(thrown)}\n`);
    await end(2);
  }
}

declareScheme();
const commandLine = parseCommandLine(process.argv.slice(app.isPackaged ? 1 : 2));
if ('usage' in commandLine) {
  process.stderr.write(`${commandLine.usage} See --help.\n`);
  app.exit(2);
} else if ('print' in commandLine) {
  process.stdout.write(commandLine.print === 'help' ? HELP : `${version}\n`);
  app.exit(0);
} else if (!app.requestSingleInstanceLock()) {
  process.stderr.write('Pitwall already runs; its window was brought to the front.\n');
  app.exit(0);
} else {
  // no top-level await: Electron's ready event waits for this module to end
  void run(commandLine.run);
}
