import { copyFile, readFile } from 'node:fs/promises';
import { writeFile } from 'atomically';
import { DEFAULT_SETTINGS, Settings, StudioError } from '../../../contract/index.ts';
import type { Log } from '../logging/log.ts';

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
    const settings = parseSettings(text);
    if (settings) return new SettingsStore(file, settings, false);
    await copyFile(file, `${file}.bak`);
    log.warn({ file }, 'settings were not understood; set aside as .bak, using the defaults');
    return new SettingsStore(file, DEFAULT_SETTINGS, true);
  }

  get current(): Settings {
    return this.#settings;
  }

  /** Errors: `folder-not-writable`; the old settings stay in force then. */
  async update(patch: { readonly [K in keyof Settings]?: Settings[K] | undefined }): Promise<Settings> {
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
    const next = Settings.parse({ ...this.#settings, ...given });
    try {
      await writeFile(this.#file, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600 });
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

function parseSettings(text: string): Settings | undefined {
  try {
    const raw: unknown = JSON.parse(text);
    // missing keys take their defaults, so that an older file stays valid when settings are added
    return Settings.safeParse({ ...DEFAULT_SETTINGS, ...(typeof raw === 'object' ? raw : {}) }).data;
  } catch {
    return undefined;
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
