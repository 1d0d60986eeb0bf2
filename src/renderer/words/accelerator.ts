/** The part of a keyboard event that names a key (UI Events: `code` is the physical key). */
export type KeyPress = Pick<KeyboardEvent, 'code' | 'ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey'>;

const NAMED: Readonly<Record<string, string>> = {
  Space: 'Space',
  Tab: 'Tab',
  Insert: 'Insert',
  Delete: 'Delete',
  Home: 'Home',
  End: 'End',
  PageUp: 'PageUp',
  PageDown: 'PageDown',
  ArrowUp: 'Up',
  ArrowDown: 'Down',
  ArrowLeft: 'Left',
  ArrowRight: 'Right',
  PrintScreen: 'PrintScreen',
  Pause: 'Pause',
  ScrollLock: 'ScrollLock',
};

function keyName(code: string): string | undefined {
  const letterOrDigit = /^(?:Key|Digit)([A-Z0-9])$/.exec(code)?.[1];
  if (letterOrDigit) return letterOrDigit;
  if (/^F([1-9]|1[0-9]|2[0-4])$/.test(code)) return code;
  const numpad = /^Numpad([0-9])$/.exec(code)?.[1];
  return numpad ? `num${numpad}` : NAMED[code];
}

/** A key press in the contract's `Accelerator` grammar; undefined for a modifier alone or a key outside the grammar. */
export function acceleratorOf(press: KeyPress): string | undefined {
  const key = keyName(press.code);
  if (!key) return undefined;
  const modifiers = [
    press.ctrlKey && 'Control',
    press.altKey && 'Alt',
    press.shiftKey && 'Shift',
    press.metaKey && 'Super',
  ].filter((modifier) => modifier !== false);
  return [...modifiers, key].join('+');
}

/** A global hotkey takes its key away from every other program: keys one types or moves with need a modifier. */
export function refusalOf(accelerator: string): string | undefined {
  if (!/^(Shift\+)?([A-Z0-9]|Space|Tab|Up|Down|Left|Right|Home|End|Delete|num[0-9])$/.test(accelerator))
    return undefined;
  return 'This key would stop working in every other program. Hold Control, Alt or Super with it, or choose a function key.';
}

/** For display: `Ctrl`, `Shift`, `R`. */
export const acceleratorParts = (accelerator: string): string[] =>
  accelerator === '' ? [] : accelerator.split('+').map((part) => (part === 'Control' ? 'Ctrl' : part));
