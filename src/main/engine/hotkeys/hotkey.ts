import { StudioError, type HotkeyStatus } from '../../../contract/index.ts';
import type { HotkeyRegistration, HotkeyService } from '../host.ts';
import type { Log } from '../logging/log.ts';

export type HotkeyOptions = {
  /** what the key does */
  id: string;
  /** empty: no key */
  accelerator: string;
  service: HotkeyService | null;
  log: Log;
  onPress: (id: string) => void;
};

/** One global hotkey: holds at most one registration, and knows whether the key is really ours. */
export class Hotkey {
  readonly #options: HotkeyOptions;
  #registration: HotkeyRegistration | undefined;
  #status: HotkeyStatus;

  constructor(options: HotkeyOptions) {
    this.#options = options;
    this.#status = { id: options.id, state: 'off' };
  }

  get status(): HotkeyStatus {
    return this.#status;
  }

  /** Takes the key unless it is held. Never rejects: `status` tells. */
  async hold(): Promise<void> {
    const { id, accelerator, service, log, onPress } = this.#options;
    if (accelerator === '' || service === null || this.#registration) return;
    try {
      this.#registration = await service.register(accelerator, () => onPress(id));
      this.#status = { id, state: 'active', accelerator };
    } catch (thrown) {
      const error =
        thrown instanceof StudioError
          ? thrown
          : new StudioError(
              'hotkey-unavailable',
              `The key ${accelerator} cannot be used.`,
              'Choose another key in the settings.',
              { cause: thrown },
            );
      log.warn({ err: error }, error.message);
      this.#status = { id, state: 'unavailable', accelerator, error: error.toInfo() };
    }
  }

  async release(): Promise<void> {
    const held = this.#registration;
    this.#registration = undefined;
    this.#status = { id: this.#options.id, state: 'off' };
    await held?.release();
  }
}
