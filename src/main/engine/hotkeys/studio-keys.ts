import {
  StudioError,
  saveRequestOf,
  type HotkeyStatus,
  type SaveAnswer,
  type SaveRequest,
  type Settings,
} from '../../../contract/index.ts';
import type { Host } from '../host.ts';
import type { Log } from '../logging/log.ts';
import { Hotkeys } from './hotkeys.ts';

export type StudioKeysDeps = {
  host: Pick<Host, 'hotkeys' | 'notify'>;
  log: Log;
  save: (request: SaveRequest) => Promise<SaveAnswer>;
  mark: () => Promise<unknown>;
};

const MARK = 'mark';

/** What the studio's hotkeys do: each preset saves, one marks. Whoever presses one looks at the game, so the desktop tells the outcome. */
export class StudioKeys {
  readonly #deps: StudioKeysDeps;
  readonly #hotkeys: Hotkeys;
  #presets: Settings['savePresets'] = [];

  constructor(deps: StudioKeysDeps) {
    this.#deps = deps;
    this.#hotkeys = new Hotkeys(deps.host.hotkeys, deps.log, (id) => this.#pressed(id));
  }

  get statuses(): HotkeyStatus[] {
    return this.#hotkeys.statuses;
  }

  /** The keys of these settings and no others. Never rejects: `statuses` tells. */
  async bind({ savePresets, markHotkey }: Pick<Settings, 'savePresets' | 'markHotkey'>): Promise<void> {
    this.#presets = savePresets;
    await this.#hotkeys.bind([
      ...savePresets.map(({ id, hotkey }) => ({ id, accelerator: hotkey })),
      { id: MARK, accelerator: markHotkey },
    ]);
  }

  async release(): Promise<void> {
    await this.#hotkeys.release();
  }

  #pressed(id: string): void {
    const { host, log, save, mark } = this.#deps;
    const preset = this.#presets.find((candidate) => candidate.id === id);
    const failed = (what: string) => (thrown: unknown) => {
      const error = thrown instanceof StudioError ? thrown : undefined;
      if (!error) log.error({ err: thrown }, `${what}, by hotkey`);
      host.notify(what, error ? `${error.message} ${error.remedy}` : 'See the log.');
    };
    if (id === MARK) mark().catch(failed('No mark set'));
    if (!preset) return;
    save(saveRequestOf(preset)).then(
      (answer) => host.notify('Replay saved', `${answer.seconds.toFixed(0)} s. ${answer.reason ?? ''}`.trim()),
      failed('Replay not saved'),
    );
  }
}
