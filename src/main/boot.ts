import path from 'node:path';
import process from 'node:process';
import { version } from '../../package.json';
import { StudioError } from '../contract/index.ts';
import type { Handler } from '../contract/wire/server.ts';
import type { Flags } from './cli.ts';
import type { CaptureBackend } from './engine/capture/backend.ts';
import { systemBackends } from './engine/capture/backends.ts';
import { OBS_PIPE_NAME, obsPipeBackend } from './engine/capture/obs-pipe.ts';
import { testPatternBackend } from './engine/capture/test-pattern.ts';
import { Engine } from './engine/engine.ts';
import type { Host } from './engine/host.ts';
import { startHttp } from './engine/http/server.ts';
import { createLogging, type Log } from './engine/logging/log.ts';
import { PipeInlet } from './engine/pipes/inlet.ts';
import { PipePlace, choosePlace } from './engine/pipes/place.ts';
import { Playout } from './engine/playout/playout.ts';
import { contractHandlers } from './engine/rpc.ts';
import { defaultClipsFolder, defaultDataFolder, lockDataFolder } from './engine/settings/data-folder.ts';
import { SecretStore } from './engine/settings/secrets.ts';
import { SettingsStore } from './engine/settings/store.ts';

export type Booted = {
  engine: Engine;
  handlers: ReadonlyMap<string, Handler>;
  log: Log;
  url: string;
  /** Stops capture, RTMP and HTTP, in this order, and frees the data folder. Never rejects. */
  close(): Promise<void>;
};

export type BootOptions = {
  flags: Flags;
  /** folder of the built main modules; the pages lie beside it */
  builtFolder: string;
  createHost: (log: Log) => Promise<Host>;
};

export { version };

/**
 * Starts a studio: data folder, log, settings, engine, HTTP. Both shells do exactly this.
 * Errors: `StudioError` for what a user can mend (locked or unwritable folder, busy port); nothing is left running then.
 */
export async function boot({ flags, builtFolder, createHost }: BootOptions): Promise<Booted> {
  const { env, platform } = process;
  const dataFolder = path.resolve(flags.data ?? defaultDataFolder(env, platform));
  const clipsFolder = path.resolve(flags.clips ?? (await defaultClipsFolder(env, platform)));
  const unlock = await lockDataFolder(dataFolder);
  const undo: (() => Promise<void> | void)[] = [unlock];
  try {
    const logging = createLogging({ folder: path.join(dataFolder, 'logs'), stderr: true });
    undo.push(() => logging.close());
    const { log } = logging;
    containUnexpected(log);
    log.info({ version, node: process.version, platform, dataFolder, clipsFolder }, 'Pitwall starts');
    const settings = await SettingsStore.load(path.join(dataFolder, 'settings.json'), log);
    const host = await createHost(log);
    undo.push(async () => host.close?.());
    const pipes = new PipePlace(choosePlace(env, platform, dataFolder));
    undo.push(async () => pipes.close());
    const backends: CaptureBackend[] = [
      ...systemBackends(platform, env, log),
      obsPipeBackend(
        new PipeInlet({
          place: pipes,
          name: OBS_PIPE_NAME,
          log: log.child({ part: 'pipe' }),
          clock: () => performance.now() / 1000,
        }),
      ),
      testPatternBackend(),
    ];
    const engine = new Engine({
      version,
      host,
      log,
      settings,
      secrets: await SecretStore.load(path.join(dataFolder, 'secrets.json'), host.secrets, log),
      overrides: {
        ...(flags.replaySeconds === undefined ? {} : { replaySeconds: flags.replaySeconds }),
        // a game that runs must not start a stream in the middle of it
        ...(flags.setupTest ? { followGame: false } : {}),
        ...(flags.setupTest && flags.source !== undefined ? { lastSource: flags.source } : {}),
        ...(flags.replayMegabytes === undefined ? {} : { replayMegabytes: flags.replayMegabytes }),
      },
      dataFolder,
      clipsFolder,
      rtmpPort: flags.rtmpPort,
      rtmpHostModule: path.join(builtFolder, 'rtmp-host.js'),
      backends,
      env,
    });
    const playout = new Playout({ ring: engine.ring, place: pipes, log: log.child({ part: 'play' }) });
    const handlers = contractHandlers(engine);
    const http = await startHttp({
      port: flags.port,
      pages: path.resolve(builtFolder, '../renderer'),
      studio: engine,
      playout,
      handlers,
      log: log.child({ part: 'http' }),
    });
    undo.push(async () => http.close());
    undo.push(async () => engine.close());
    undo.push(async () => playout.close());
    await Promise.all([engine.start(http.url), playout.start()]);
    return { engine, handlers, log, url: http.url, close: async () => closeAll(undo, log) };
  } catch (thrown) {
    await closeAll(undo, undefined);
    throw thrown;
  }
}

async function closeAll(undo: (() => Promise<void> | void)[], log: Log | undefined): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      log?.warn({ err: error }, 'a part did not stop cleanly');
    }
  }
}

/** An exception nobody foresaw must not take the last minutes with it: it is logged, and the ring lives on. */
function containUnexpected(log: Log): void {
  process.on('uncaughtException', (error) => log.error({ err: error }, 'unexpected exception'));
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'unexpected rejection'));
}

/** A start-up failure as two sentences for stderr. */
export function explain(thrown: unknown): string {
  if (thrown instanceof StudioError) return `${thrown.message} ${thrown.remedy}`;
  return `Pitwall could not start: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
}
