import { StudioError } from '../../contract/errors.ts';
import type { HotkeyRegistration, HotkeyService } from '../engine/host.ts';
import { parseAccelerator } from '../x11/accelerator.ts';
import { openDisplay } from '../x11/display.ts';
import type { X11Display } from '../x11/display.ts';
import { X11Error } from '../x11/errors.ts';

export type Log = (level: 'info' | 'warn', message: string) => void;

export interface X11Hotkeys extends HotkeyService {
  close(): Promise<void>;
}

/**
 * Global hotkeys by X11 key grabs. If the X server goes, the registered keys are dead (one warning); the next `register` connects anew.
 * Errors: `X11Error` if the display cannot be opened.
 */
export async function createX11Hotkeys(name: string, log: Log): Promise<X11Hotkeys> {
  let closed = false;
  let display: Promise<X11Display> | undefined;

  const connected = (): Promise<X11Display> => {
    if (closed) return Promise.reject(new X11Error('closed', 'The hotkeys were switched off.'));
    if (display) return display;
    const opening = openDisplay(name);
    display = opening;
    const forget = (): void => {
      if (display === opening) display = undefined;
    };
    opening.then(
      (opened) =>
        opened.onLost(() => {
          forget();
          log('warn', `The X server ${name} is gone; hotkeys do not work until one is set again.`);
        }),
      forget,
    );
    return opening;
  };

  await connected();
  return {
    async register(accelerator, onPress): Promise<HotkeyRegistration> {
      const combination = parseAccelerator(accelerator);
      if (!combination) throw unavailable(accelerator, 'is no key Pitwall knows');
      try {
        return await (await connected()).grabKey(combination, onPress);
      } catch (error) {
        throw unavailable(accelerator, reasonOf(error), error);
      }
    },
    async close() {
      closed = true;
      const open = await display?.catch(() => undefined);
      await open?.close();
    },
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof X11Error)) return 'could not be set';
  switch (error.code) {
    case 'taken':
      return 'is used by another program';
    case 'unknown-key':
      return 'is not on this keyboard';
    default:
      return 'could not be set, because the X server does not answer';
  }
}

function unavailable(accelerator: string, reason: string, cause?: unknown): StudioError {
  const message = `The key ${accelerator} ${reason}.`;
  return new StudioError('hotkey-unavailable', message, 'Choose another key in the settings.', { cause });
}
