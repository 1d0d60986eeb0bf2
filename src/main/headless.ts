/** The studio under plain Node: the same engine, the UI in a browser. Flags: DESIGN section 3, `cli.ts`. */
import process from 'node:process';
import { StudioError } from '../contract/index.ts';
import { boot, explain, version, type Booted } from './boot.ts';
import { HELP, parseCommandLine, type Flags } from './cli.ts';
import { openFolder } from './host/headless-open.ts';
import { createHeadlessHost } from './host/headless.ts';
import { setupTestInTerminal } from './setup-test-cli.ts';

const CLOSE_MS = 10_000;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Without a desktop the opener would start a text browser, or nothing. */
const canShow = (): boolean =>
  process.platform !== 'linux' || Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);

async function run(flags: Flags): Promise<void> {
  let studio: Booted | undefined;
  let booting: Promise<Booted> | undefined;
  let ending: Promise<never> | undefined;
  const end = async (code: number): Promise<never> => {
    const late = setTimeout(() => process.exit(1), CLOSE_MS);
    // a signal may come while the studio is still being put together
    await (await booting?.catch(() => undefined))?.close();
    clearTimeout(late);
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // a library of ours raises the signal again after its own clean-up
      if (ending) return;
      studio?.log.info({ signal }, 'stopping');
      ending = end(0);
    });
  }
  try {
    booting = boot({
      flags,
      builtFolder: import.meta.dirname,
      createHost: async (log) => {
        const display = process.env['DISPLAY'];
        return createHeadlessHost({
          display: display === '' ? undefined : display,
          log: (level, message) => log[level](message),
        });
      },
    });
    studio = await booting;
  } catch (thrown) {
    say(explain(thrown));
    process.exit(thrown instanceof StudioError ? 2 : 1);
  }
  if (ending) return;
  const { engine, url, log } = studio;
  if (flags.setupTest) {
    const code = await setupTestInTerminal(engine, flags.json);
    ending ??= end(code);
    return;
  }
  const { rtmp } = engine.state;
  const ready = { event: 'ready', url, rtmp: rtmp.state === 'up' ? rtmp.url : null, pid: process.pid };
  if (flags.headless || !process.stdout.isTTY) process.stdout.write(`${JSON.stringify(ready)}\n`);
  else say(`Pitwall is at ${url} (Ctrl+C ends it).`);
  if (!flags.headless && flags.open && canShow()) {
    // the same openers that show a folder show a page
    openFolder(url, process.env).catch(() => log.info(`open ${url} in a browser`));
  }
  if (flags.start && flags.source !== undefined) {
    try {
      await engine.startCapture({ source: flags.source });
    } catch (thrown) {
      say(explain(thrown));
      // without a window there is nobody to choose another source
      if (flags.headless && thrown instanceof StudioError && thrown.code === 'unknown-source') ending ??= end(2);
    }
  }
}

const commandLine = parseCommandLine(process.argv.slice(2));
if ('usage' in commandLine) {
  say(`${commandLine.usage} See --help.`);
  process.exit(2);
} else if ('print' in commandLine) {
  process.stdout.write(commandLine.print === 'help' ? HELP : `${version}\n`);
  process.exit(0);
} else {
  await run(commandLine.run);
}
