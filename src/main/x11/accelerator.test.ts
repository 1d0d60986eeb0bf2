import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAccelerator } from './accelerator.ts';
import { bindKey } from './keymap.ts';
import type { Keymap } from './keymap.ts';

describe('parseAccelerator', () => {
  it.each([
    ['F9', [0xffc6], []],
    ['F24', [0xffd5], []],
    ['Control+Shift+R', [0x72, 0x52], ['Control', 'Shift']],
    ['Ctrl+Control+1', [0x31], ['Control']],
    ['Super+Alt+num5', [0xffb5], ['Super', 'Alt']],
    ['PageDown', [0xff56], []],
  ])('reads %s', (text, keysyms, modifiers) => {
    expect(parseAccelerator(text)).toEqual({ keysyms, modifiers });
  });

  it.each(['', '+', 'F0', 'F25', 'f9', 'F9+', 'Hyper+F9', 'Control+', 'Control', 'AB', 'num10', 'F9+F10', ' F9'])(
    'refuses %j',
    (text) => {
      expect(parseAccelerator(text)).toBeUndefined();
    },
  );

  it('never throws, and what it accepts has a keysym', () => {
    const piece = fc.constantFrom('Control', 'Alt', 'Shift', 'Super', 'F9', 'Q', '7', 'Space', '', 'x');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 6 }).map((all) => all.join('+')),
        ),
        (text) => {
          const parsed = parseAccelerator(text);
          if (parsed) expect(parsed.keysyms.length).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe('bindKey', () => {
  // Keycodes 10 to 16: 1, r, F9, NumLock, ScrollLock, Alt_L, a French 1 (shifted).
  const keymap: Keymap = {
    firstKeycode: 10,
    keysyms: [[0x31], [0x72, 0x52], [0xffc6], [0, 0xff7f], [0xff14], [0xffe9], [0x26, 0x32]],
    modifiers: [[], [], [], [15], [], [14], [], [13]],
  };

  it('grabs a key with every state of the locks, wherever NumLock and ScrollLock sit', () => {
    const bound = bindKey(keymap, { keysyms: [0xffc6], modifiers: ['Control'] });
    expect(bound?.keycodes).toEqual([12]);
    expect(bound?.modifiers).toBe(4);
    // Lock 2, ScrollLock on Mod3 (32), NumLock on Mod5 (128), each with Control (4).
    expect([...(bound?.masks ?? [])].sort((a, b) => a - b)).toEqual([4, 6, 36, 38, 132, 134, 164, 166]);
    expect(bound?.relevant).toBe(0xff & ~(2 | 32 | 128));
  });

  it('finds Alt by its key, Super by custom where no key sets it, and a key by its shifted keysym', () => {
    expect(bindKey(keymap, { keysyms: [0x31], modifiers: ['Alt'] })?.modifiers).toBe(8);
    expect(bindKey(keymap, { keysyms: [0x31], modifiers: ['Super'] })?.modifiers).toBe(64);
    expect(bindKey(keymap, { keysyms: [0x32], modifiers: [] })?.keycodes).toEqual([16]);
  });

  it('has nothing for a key the keyboard lacks', () => {
    expect(bindKey(keymap, { keysyms: [0xffd5], modifiers: [] })).toBeUndefined();
  });
});
