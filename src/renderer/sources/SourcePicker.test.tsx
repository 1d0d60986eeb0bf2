import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test } from 'vitest';
import { receiveStateEvent } from '../store/store.ts';
import { connectStudio, source, studioState } from '../test/studio.ts';
import { ordered, pickSource } from './pick.ts';
import { SourcePicker } from './SourcePicker.tsx';

const SOURCES = [
  source('screen:0', { kind: 'screen', name: 'Screen 1' }),
  source('window:1', { name: 'Browser' }),
  source('window:2', { name: 'Assetto Corsa', suggested: true }),
  source('window:3', { name: 'Telemetry', available: false, reason: 'It is minimised.' }),
  source('test-pattern', { kind: 'test-pattern', name: 'Test pattern' }),
];

describe('choice', () => {
  test('order: suggested, windows, screens, test pattern, and last what cannot be captured', () => {
    expect(ordered(SOURCES).map(({ id }) => id)).toEqual([
      'window:2',
      'window:1',
      'screen:0',
      'test-pattern',
      'window:3',
    ]);
  });

  test('the person’s choice, else the suggestion, else the last one; never one that nobody named', () => {
    const without = SOURCES.filter(({ suggested }) => !suggested);
    expect(pickSource(SOURCES, 'screen:0', null)?.id).toBe('screen:0');
    expect(pickSource(SOURCES, 'gone', 'window:1')?.id).toBe('window:2');
    expect(pickSource(without, null, 'screen:0')?.id).toBe('screen:0');
    expect(pickSource(without, null, 'gone')).toBeUndefined();
    // a window opened again has another id
    expect(pickSource(without, null, 'window:Browser')?.id).toBe('window:1');
    expect(pickSource(without, null, 'window:Telemetry')).toBeUndefined();
    expect(pickSource(without.slice(-1), null, null)?.id).toBe('test-pattern');
    const pipe = source('obs-pipe', { kind: 'pipe' });
    expect(pickSource([...without.slice(-1), pipe], null, null)?.id).toBe('test-pattern');
    expect(pickSource([pipe], null, null)).toBeUndefined();
    expect(pickSource([...SOURCES, pipe], 'obs-pipe', null)?.id).toBe('obs-pipe');
    expect(pickSource(without, 'gone', 'screen:0')).toBeUndefined();
    expect(pickSource(without, 'window:3', null)).toBeUndefined();
    expect(pickSource([], null, null)).toBeUndefined();
  });
});

describe('picker', () => {
  test('arrow keys walk over what can be captured and Enter starts it', async () => {
    const user = userEvent.setup();
    const asked = connectStudio(studioState({ sources: SOURCES }));
    render(<SourcePicker />);
    const suggested = screen.getByRole('radio', { name: /Assetto Corsa/ });
    expect(suggested).toBeChecked();
    act(() => suggested.focus());
    await user.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}');
    expect(screen.getByRole('radio', { name: /Test pattern/ })).toBeChecked();
    await user.keyboard('{ArrowUp}{Enter}{Enter}');
    expect(asked.filter(({ name }) => name === 'capture.start')).toEqual([
      { name: 'capture.start', input: { source: 'screen:0' } },
    ]);
  });

  test('what cannot be captured is disabled and says why', () => {
    connectStudio(studioState({ sources: SOURCES }));
    render(<SourcePicker />);
    expect(screen.getByRole('radio', { name: /Telemetry.*It is minimised/ })).toBeDisabled();
  });

  test('a chosen window that closes gives way to the suggestion', async () => {
    const user = userEvent.setup();
    connectStudio(studioState({ sources: SOURCES }));
    render(<SourcePicker />);
    await user.click(screen.getByRole('radio', { name: /Browser/ }));
    act(() => {
      receiveStateEvent(
        { type: 'delta', revision: 2, changed: { sources: SOURCES.filter(({ id }) => id !== 'window:1') } },
        0,
      );
    });
    expect(screen.getByRole('radio', { name: /Assetto Corsa/ })).toBeChecked();
  });

  test('following the game is switched on and off at once', async () => {
    const user = userEvent.setup();
    const asked = connectStudio(studioState({ sources: SOURCES }));
    render(<SourcePicker />);
    const follow = screen.getByRole('checkbox', { name: 'Start and stop with the game' });
    expect(follow).not.toBeChecked();
    await user.click(follow);
    expect(asked.at(-1)).toEqual({ name: 'settings.update', input: { followGame: true } });
  });

  test('with nothing open it says what to do and offers the test pattern', () => {
    connectStudio(studioState({ sources: SOURCES.slice(-1) }));
    render(<SourcePicker />);
    expect(screen.getByText(/No windows or screens found/)).toBeInTheDocument();
    expect(screen.getByRole('radio', { name: /Test pattern/ })).toBeChecked();
  });
});
