import type { HotkeyStatus } from '../../../contract/index.ts';
import type { HotkeyService } from '../host.ts';
import type { Log } from '../logging/log.ts';
import { Hotkey } from './hotkey.ts';

export type Binding = {
  /** what the key does: a preset's id, or `mark` */
  id: string;
  /** empty: no key */
  accelerator: string;
};

/** All global hotkeys of the studio, each with its own result. */
export class Hotkeys {
  readonly #service: HotkeyService | null;
  readonly #log: Log;
  readonly #onPress: (id: string) => void;
  #bound: { binding: Binding; hotkey: Hotkey }[] = [];

  constructor(service: HotkeyService | null, log: Log, onPress: (id: string) => void) {
    this.#service = service;
    this.#log = log;
    this.#onPress = onPress;
  }

  get statuses(): HotkeyStatus[] {
    return this.#bound.map(({ hotkey }) => hotkey.status);
  }

  /**
   * Holds exactly these keys from now on. A key that stays is not let go of; those that go are released first, so that two presets
   * can swap theirs. Never rejects: `statuses` tells, in the order given.
   */
  async bind(bindings: readonly Binding[]): Promise<void> {
    const before = this.#bound;
    const same = (a: Binding, b: Binding): boolean => a.id === b.id && a.accelerator === b.accelerator;
    const gone = before.filter(({ binding }) => !bindings.some((wanted) => same(wanted, binding)));
    await Promise.all(gone.map(async ({ hotkey }) => hotkey.release()));
    this.#bound = bindings.map(
      (wanted) =>
        before.find(({ binding }) => same(wanted, binding)) ?? {
          binding: wanted,
          hotkey: new Hotkey({ ...wanted, service: this.#service, log: this.#log, onPress: this.#onPress }),
        },
    );
    await Promise.all(this.#bound.map(async ({ hotkey }) => hotkey.hold()));
  }

  async release(): Promise<void> {
    await Promise.all(this.#bound.splice(0).map(async ({ hotkey }) => hotkey.release()));
  }
}
