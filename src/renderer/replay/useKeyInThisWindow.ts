import { useEffect } from 'react';
import type { HotkeyStatus } from '../../contract/state.ts';
import { acceleratorOf } from '../words/accelerator.ts';

/** Where the system gives us no global hotkey, its key still works in this window. */
export function useKeyInThisWindow(hotkey: HotkeyStatus | undefined, press: () => void): void {
  const accelerator = hotkey?.state === 'unavailable' ? hotkey.accelerator : undefined;
  useEffect(() => {
    if (accelerator === undefined) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.repeat || acceleratorOf(event) !== accelerator) return;
      if (document.querySelector('[data-recording-hotkey]')) return;
      event.preventDefault();
      press();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [accelerator, press]);
}
