import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { StudioError } from '../../../contract/index.ts';
import type { HotkeyService } from '../host.ts';
import { Hotkeys } from './hotkeys.ts';

const log = pino({ level: 'silent' });

/** A keyboard of which some keys belong to another program. It does not prove what a real system does with the same key twice. */
function keyboard(taken: readonly string[] = []) {
  const held = new Map<string, () => void>();
  const asked: string[] = [];
  const service: HotkeyService = {
    register: async (accelerator, onPress) => {
      asked.push(accelerator);
      if (taken.includes(accelerator) || held.has(accelerator))
        throw new StudioError('hotkey-unavailable', `The key ${accelerator} is used.`, 'Choose another.');
      held.set(accelerator, onPress);
      return Promise.resolve({
        release: async () => {
          held.delete(accelerator);
          return Promise.resolve();
        },
      });
    },
  };
  return { service, held, asked };
}

describe('hotkeys', () => {
  it('are each held or refused for themselves, and say what they do when pressed', async () => {
    const { service, held } = keyboard(['F10']);
    const pressed: string[] = [];
    const hotkeys = new Hotkeys(service, log, (id) => pressed.push(id));
    await hotkeys.bind([
      { id: 'save', accelerator: 'F9' },
      { id: 'all', accelerator: 'F10' },
      { id: 'none', accelerator: '' },
      { id: 'mark', accelerator: 'F7' },
    ]);
    expect(hotkeys.statuses).toMatchObject([
      { id: 'save', state: 'active', accelerator: 'F9' },
      { id: 'all', state: 'unavailable', accelerator: 'F10', error: { code: 'hotkey-unavailable' } },
      { id: 'none', state: 'off' },
      { id: 'mark', state: 'active' },
    ]);
    held.get('F7')?.();
    held.get('F9')?.();
    expect(pressed).toEqual(['mark', 'save']);
    await hotkeys.release();
    expect(held.size).toBe(0);
  });

  it('that stay are not let go of, and two can swap their keys', async () => {
    const { service, held, asked } = keyboard();
    const hotkeys = new Hotkeys(service, log, () => undefined);
    await hotkeys.bind([
      { id: 'a', accelerator: 'F1' },
      { id: 'b', accelerator: 'F2' },
      { id: 'c', accelerator: 'F3' },
    ]);
    await hotkeys.bind([
      { id: 'b', accelerator: 'F1' },
      { id: 'a', accelerator: 'F2' },
      { id: 'c', accelerator: 'F3' },
    ]);
    expect(hotkeys.statuses.map(({ id, state }) => `${id} ${state}`)).toEqual(['b active', 'a active', 'c active']);
    expect(asked).toEqual(['F1', 'F2', 'F3', 'F1', 'F2']);
    await hotkeys.bind([]);
    expect(held.size).toBe(0);
  });

  it('refused once are tried again when bound again, and off where the system has none', async () => {
    const taken = ['F9'];
    const { service } = keyboard(taken);
    const hotkeys = new Hotkeys(service, log, () => undefined);
    await hotkeys.bind([{ id: 'save', accelerator: 'F9' }]);
    expect(hotkeys.statuses[0]?.state).toBe('unavailable');
    taken.pop();
    await hotkeys.bind([{ id: 'save', accelerator: 'F9' }]);
    expect(hotkeys.statuses[0]?.state).toBe('active');
    const none = new Hotkeys(null, log, () => undefined);
    await none.bind([{ id: 'save', accelerator: 'F9' }]);
    expect(none.statuses).toEqual([{ id: 'save', state: 'off' }]);
  });
});
