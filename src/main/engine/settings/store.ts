import { constants } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { writeFile } from 'atomically';
import { DEFAULT_SETTINGS, Settings, StudioError, doubledHotkey } from '../../../contract/index.ts';
import { badRequest } from '../../../contract/wire/server.ts';
import type { Log } from '../logging/log.ts';
import { migrated } from './migrate.ts';

/** The user's settings in one JSON file. What cannot be read is set aside as `.bak`, never overwritten unseen. */
export class SettingsStore {
  readonly #file: string;
  #settings: Settings;
  /** true when the file could not be understood and the defaults are in force */
  readonly wasReset: boolean;

  private constructor(file: string, settings: Settings, wasReset: boolean) {
    this.#file = file;
    this.#settings = settings;
    this.wasReset = wasReset;
  }

  static async load(file: string, log: Log): Promise<SettingsStore> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (!isMissing(error)) log.warn({ err: error, file }, 'settings could not be read; using the defaults');
      return new SettingsStore(file, DEFAULT_SETTINGS, !isMissing(error));
    }
    const { settings, from } = parseSettings(text);
    if (settings) {
      if (from !== settings.version) await keepOldAndWrite(file, from, settings, log);
      return new SettingsStore(file, settings, false);
    }
    await copyFile(file, `${file}.bak`);
    log.warn({ file }, 'settings were not understood; set aside as .bak, using the defaults');
    return new SettingsStore(file, DEFAULT_SETTINGS, true);
  }

  get current(): Settings {
    return this.#settings;
  }

  /** Errors: `folder-not-writable`, `bad-request` (values that do not fit together); the old settings stay in force then. */
  async update(patch: { readonly [K in keyof Settings]?: Settings[K] | undefined }): Promise<Settings> {
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
    const parsed = Settings.safeParse({ ...this.#settings, ...given });
    if (!parsed.success) throw badRequest('The settings', parsed.error);
    const next = parsed.data;
    const doubled = doubledHotkey(next);
    if (doubled !== undefined) {
      throw new StudioError(
        'bad-request',
        `The key ${doubled} is given to two things.`,
        'Choose a key of its own for each, or turn one of them off.',
      );
    }
    try {
      await write(this.#file, next);
    } catch (cause) {
      throw new StudioError(
        'folder-not-writable',
        'The settings could not be saved.',
        'Check that the data folder can be written to.',
        { cause },
      );
    }
    this.#settings = next;
    return next;
  }
}

async function write(file: string, settings: Settings): Promise<void> {
  await writeFile(file, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
}

/** The first backup of a version stays: it is the one an older program wrote. */
async function keepOldAndWrite(file: string, from: number, settings: Settings, log: Log): Promise<void> {
  const backup = `${file}.v${from}.bak`;
  try {
    await copyFile(file, backup, constants.COPYFILE_EXCL).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
    await write(file, settings);
    log.info({ file, from, to: settings.version, backup }, 'settings of an older version taken over');
  } catch (error) {
    log.warn({ err: error, file }, 'settings of an older version are in force, but could not be written anew');
  }
}

function parseSettings(text: string): { settings: Settings | undefined; from: number } {
  try {
    const raw: unknown = JSON.parse(text);
    const { values, from } = migrated(raw);
    // missing keys take their defaults, so that an older file stays valid when settings are added
    return { settings: Settings.safeParse({ ...DEFAULT_SETTINGS, ...values }).data, from };
  } catch {
    return { settings: undefined, from: 0 };
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
