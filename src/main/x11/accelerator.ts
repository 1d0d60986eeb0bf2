/** A key by its X keysym, and modifiers by name. */
export interface KeyCombination {
  /** keysyms that may stand for the key, best first (X protocol, appendix A) */
  readonly keysyms: readonly number[];
  readonly modifiers: readonly Modifier[];
}
export type Modifier = 'Shift' | 'Control' | 'Alt' | 'Super';

const MODIFIERS: ReadonlyMap<string, Modifier> = new Map([
  ['Control', 'Control'],
  ['Ctrl', 'Control'],
  ['Alt', 'Alt'],
  ['Shift', 'Shift'],
  ['Super', 'Super'],
]);

const NAMED: ReadonlyMap<string, readonly number[]> = new Map([
  ['Space', [0x20]],
  ['Tab', [0xff09]],
  ['Insert', [0xff63]],
  ['Delete', [0xffff]],
  ['Home', [0xff50]],
  ['End', [0xff57]],
  ['PageUp', [0xff55]],
  ['PageDown', [0xff56]],
  ['Up', [0xff52]],
  ['Down', [0xff54]],
  ['Left', [0xff51]],
  ['Right', [0xff53]],
  // The Print key, which some keymaps call Sys_Req.
  ['PrintScreen', [0xff61, 0xff15]],
  ['Pause', [0xff13]],
  ['ScrollLock', [0xff14]],
]);

const F1 = 0xffbe;
const KEYPAD_0 = 0xffb0;

/**
 * Electron's accelerator grammar, the subset the settings accept (`F9`, `Control+Shift+R`, `num5`). Undefined for anything else, the
 * empty string included. Case matters, as it does there.
 */
export function parseAccelerator(accelerator: string): KeyCombination | undefined {
  const parts = accelerator.split('+');
  const key = parts.pop();
  if (key === undefined) return undefined;
  const keysyms = keysymsOf(key);
  const modifiers = parts.map((part) => MODIFIERS.get(part));
  if (!keysyms || modifiers.includes(undefined)) return undefined;
  return { keysyms, modifiers: [...new Set(modifiers.filter((modifier) => modifier !== undefined))] };
}

function keysymsOf(key: string): readonly number[] | undefined {
  const named = NAMED.get(key);
  if (named) return named;
  if (/^F([1-9]|1[0-9]|2[0-4])$/.test(key)) return [F1 + Number(key.slice(1)) - 1];
  // Letters are their small form in a keymap's first column.
  if (/^[A-Z]$/.test(key)) return [key.toLowerCase().charCodeAt(0), key.charCodeAt(0)];
  if (/^[0-9]$/.test(key)) return [key.charCodeAt(0)];
  if (/^num[0-9]$/.test(key)) return [KEYPAD_0 + Number(key.slice(3))];
  return undefined;
}
