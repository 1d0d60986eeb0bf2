import type { KeyCombination, Modifier } from './accelerator.ts';

/** What a combination is on one keyboard. */
export interface BoundKey {
  readonly keycodes: readonly number[];
  /** modifier bits that must be down */
  readonly modifiers: number;
  /** every modifier mask to grab: `modifiers` with each state of the lock keys, which must not matter */
  readonly masks: readonly number[];
  /** bits of a key event's state that decide; the locks and the pointer's buttons are left out */
  readonly relevant: number;
}

/** Rows of keysyms from `firstKeycode`, and the eight rows of keycodes of GetModifierMapping. */
export interface Keymap {
  readonly firstKeycode: number;
  readonly keysyms: readonly (readonly number[])[];
  readonly modifiers: readonly (readonly number[])[];
}

const SHIFT = 1;
const LOCK = 2;
const CONTROL = 4;
const MOD1 = 8;
const MOD2 = 16;
const MOD4 = 64;
const ALL_MODIFIERS = 0xff;

const NUM_LOCK = [0xff7f];
const SCROLL_LOCK = [0xff14];
const ALT = [0xffe9, 0xffea];
const SUPER = [0xffeb, 0xffec];

/** The combination's keys on this keyboard, or undefined where it has no such key. */
export function bindKey(keymap: Keymap, combination: KeyCombination): BoundKey | undefined {
  const keycodes = keycodesOf(keymap, combination.keysyms);
  if (keycodes.length === 0) return undefined;
  const modifiers = combination.modifiers.reduce((mask, name) => mask | modifierBit(keymap, name), 0);
  const locks = [LOCK, modifierOf(keymap, NUM_LOCK) ?? MOD2, modifierOf(keymap, SCROLL_LOCK) ?? 0].filter(
    (bit) => bit !== 0 && (bit & modifiers) === 0,
  );
  const masks = locks.reduce((all, bit) => [...new Set([...all, ...all.map((mask) => mask | bit)])], [modifiers]);
  const ignored = locks.reduce((all, bit) => all | bit, 0);
  return { keycodes, modifiers, masks, relevant: ALL_MODIFIERS & ~ignored };
}

/** Keycodes with one of the keysyms unshifted; failing that, in any other column (digits on a French keyboard, the keypad). */
function keycodesOf({ firstKeycode, keysyms }: Keymap, wanted: readonly number[]): number[] {
  const where = (test: (row: readonly number[]) => boolean): number[] =>
    keysyms.flatMap((row, index) => (test(row) ? [firstKeycode + index] : []));
  for (const keysym of wanted) {
    const unshifted = where((row) => row[0] === keysym);
    if (unshifted.length > 0) return unshifted;
  }
  for (const keysym of wanted) {
    const anywhere = where((row) => row.includes(keysym));
    if (anywhere.length > 0) return anywhere;
  }
  return [];
}

function modifierBit(keymap: Keymap, name: Modifier): number {
  switch (name) {
    case 'Shift':
      return SHIFT;
    case 'Control':
      return CONTROL;
    case 'Alt':
      return modifierOf(keymap, ALT) ?? MOD1;
    case 'Super':
      return modifierOf(keymap, SUPER) ?? MOD4;
  }
}

/** The modifier bit (Mod1 to Mod5) that a key with one of the keysyms sets. */
function modifierOf({ firstKeycode, keysyms, modifiers }: Keymap, wanted: readonly number[]): number | undefined {
  for (let row = 3; row < 8; row++) {
    const hit = modifiers[row]?.some(
      (keycode) => keycode !== 0 && keysyms[keycode - firstKeycode]?.some((keysym) => wanted.includes(keysym)),
    );
    if (hit) return 1 << row;
  }
  return undefined;
}
