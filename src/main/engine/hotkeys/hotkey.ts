import { StudioError, type HotkeyStatus } from '../../../contract/index.ts';
import type { HotkeyRegistration, HotkeyService } from '../host.ts';
import type { Log } from '../logging/log.ts';

/** One global hotkey: holds at most one registration, and knows whether the key is really ours. */
export class Hotkey {
  readonly #service: HotkeyService | null;
  readonly #log: Log;
  readonly #onPress: () => void;
  #registration: HotkeyRegistration | undefined;
  #status: HotkeyStatus = { state: 'off' };

  constructor(service: HotkeyService | null, log: Log, onPress: () => void) {
    this.#service = service;
    this.#log = log;
    this.#onPress = onPress;
  }

  get status(): HotkeyStatus {
    return this.#status;
  }

  /** Lets go of the key held and takes another one; an empty name means none. Never rejects: `status` tells. */
  async bind(accelerator: string): Promise<void> {
    await this.release();
    if (accelerator === '' || this.#service === null) return;
    try {
      this.#registration = await this.#service.register(accelerator, this.#onPress);
      this.#status = { state: 'active', accelerator };
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
      this.#log.warn({ err: error }, error.message);
      this.#status = { state: 'unavailable', accelerator, error: error.toInfo() };
    }
  }

  async release(): Promise<void> {
    const held = this.#registration;
    this.#registration = undefined;
    this.#status = { state: 'off' };
    await held?.release();
  }
}
