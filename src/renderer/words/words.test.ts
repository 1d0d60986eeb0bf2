import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Accelerator } from '../../contract/settings.ts';
import { studioState } from '../test/studio.ts';
import { acceleratorOf, acceleratorParts, refusalOf } from './accelerator.ts';
import { age, bitrate, clock, count, size, span } from './format.ts';
import { bitrateGauge, droppedGauge, fpsGauge, speedGauge } from './health-words.ts';
import { heldWords, saveDisabledReason, saveHint, segments, shortfall } from './replay-words.ts';
import { sessionWords, stalledSentence } from './session-words.ts';

const MIB = 1024 * 1024;

describe('format', () => {
  test.each([
    [0, '0:00'],
    [59.99, '0:59'],
    [94, '1:34'],
    [3600, '1:00:00'],
    [3725, '1:02:05'],
    [-3, '0:00'],
  ])('clock(%d) is %s', (seconds, words) => expect(clock(seconds)).toBe(words));

  test('a clock never claims more than there is', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (seconds) => {
        const told = clock(seconds)
          .split(':')
          .reduce((sum, part) => sum * 60 + Number(part), 0);
        expect(told).toBeLessThanOrEqual(seconds);
        expect(told).toBeGreaterThan(seconds - 1);
      }),
    );
  });

  test.each([
    [0, '0 MB'],
    [900, '1 kB'],
    [300 * 1024, '0.3 MB'],
    [4.56 * MIB, '4.6 MB'],
    [139.2 * MIB, '139 MB'],
    [12_000 * MIB, '11.7 GB'],
  ])('size(%d) is %s', (bytes, words) => expect(size(bytes)).toBe(words));

  test.each([
    [60, '60 s'],
    [90, '90 s'],
    [120, '2 min'],
    [150, '2 min 30 s'],
  ])('span(%d) is %s', (seconds, words) => expect(span(seconds)).toBe(words));

  test.each([
    [10, 'just now'],
    [130, '2 min ago'],
    [7300, '2 h ago'],
    [90_000, 'yesterday'],
    [260_000, '3 days ago'],
  ])('%d s ago is %s', (seconds, words) => expect(age(1e9 + seconds, 1e9)).toBe(words));

  test('counts and rates', () => {
    expect([0, 1, 2].map((n) => count(n, 'reader'))).toEqual(['no readers', '1 reader', '2 readers']);
    expect(bitrate(11_840)).toEqual({ value: '11.8', unit: 'Mbit/s' });
    expect(bitrate(640)).toEqual({ value: '640', unit: 'kbit/s' });
  });
});

describe('health thresholds', () => {
  test.each([
    [29.9, 'on target 30', 'ok'],
    [28.5, 'on target 30', 'ok'],
    [28.4, 'below target 30', 'warn'],
    [24, 'below target 30', 'warn'],
    [23.9, 'far below target 30', 'bad'],
    [0, 'no new pictures', 'bad'],
  ])('%d fps of 30: %s', (fps, words, tone) => {
    expect(fpsGauge({ fps, targetFps: 30 })).toMatchObject({ words, tone });
  });

  test.each([
    [1.5, 'catching up', 'ok'],
    [1, 'real time', 'ok'],
    [0.98, 'real time', 'ok'],
    [0.97, 'falling behind', 'warn'],
    [0.89, 'too slow for real time', 'bad'],
  ])('speed %d: %s', (speed, words, tone) => expect(speedGauge({ speed })).toMatchObject({ words, tone }));

  test('what was not measured is not called good', () => {
    const { health } = studioState();
    for (const gauge of [fpsGauge(health), speedGauge(health), bitrateGauge(health)]) {
      expect(gauge).toMatchObject({ value: '–', words: 'not measured yet', tone: 'plain' });
    }
  });

  test('dropped and repeated pictures', () => {
    const gauge = (droppedRecently: number, duplicatedRecently = 0) =>
      droppedGauge({ droppedRecently, duplicatedRecently, targetFps: 30 });
    expect(gauge(0)).toMatchObject({ words: 'none lost', tone: 'ok' });
    expect(gauge(0, 4)).toMatchObject({ words: '4 repeated', tone: 'plain' });
    expect(gauge(3)).toMatchObject({ value: '3', tone: 'warn' });
    expect(gauge(36)).toMatchObject({ tone: 'bad' });
  });

  test('no bytes is bad, whatever the quantiser', () => {
    expect(bitrateGauge({ bitrateKbps: 0, q: 21 })).toMatchObject({ words: 'nothing arrives', tone: 'bad' });
  });
});

describe('replay', () => {
  const replay = { ...studioState().replay, secondsHeld: 94.9, bytesHeld: 139 * MIB };

  test('says what is held before what is allowed', () => {
    expect(heldWords(replay)).toEqual({ time: '1:34 held of 2:00', memory: '139 MB of 512 MB' });
  });

  test('says when memory ends the replay before time does', () => {
    expect(shortfall(replay)).toBeUndefined();
    expect(shortfall({ ...replay, estimatedSeconds: 120 })).toBeUndefined();
    expect(shortfall({ ...replay, estimatedSeconds: 71 })).toBe('512 MB hold about 1:11 at this bitrate');
  });

  test('reasons for a disabled Save', () => {
    const session = { state: 'idle' } as const;
    const source = { id: 'a', name: 'a', kind: 'window', width: 2, height: 2, fps: 30, encoder: 'x' } as const;
    const starting = { state: 'starting', source } as const;
    expect(saveDisabledReason({ connected: true, session, secondsHeld: 12 })).toBeUndefined();
    expect(saveDisabledReason({ connected: true, session, secondsHeld: 0 })).toContain('start streaming first');
    expect(saveDisabledReason({ connected: true, session: starting, secondsHeld: 0 })).toContain('waiting');
    expect(saveDisabledReason({ connected: false, session, secondsHeld: 12 })).toContain('No connection');
  });

  test('says when less is held than asked', () => {
    expect(saveHint(60, 34.6)).toBe('saves the 0:34 held so far');
    expect(saveHint(60, 60)).toBeUndefined();
    expect(saveHint(60, 0)).toBeUndefined();
  });

  test('epochs lie end to end and end at the right edge', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.5, max: 400, noNaN: true }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 5, max: 600 }),
        (lengths, capacity) => {
          const epochs = lengths.map((seconds, id) => ({
            id,
            codec: 'h264' as const,
            from: 0,
            to: 1,
            seconds,
            bytes: 1,
          }));
          const placed = segments(epochs, capacity);
          let edge = placed[0]?.left ?? 0;
          expect(edge).toBeGreaterThanOrEqual(-1e-9);
          for (const { left, width } of placed) {
            expect(left).toBeCloseTo(edge, 9);
            edge = left + width;
          }
          expect(edge).toBeCloseTo(1, 9);
        },
      ),
    );
  });
});

describe('session', () => {
  const source = { id: 'a', name: 'a', kind: 'window', width: 2, height: 2, fps: 30, encoder: 'x' } as const;
  test('live counts from the start, stalled from the last picture', () => {
    expect(sessionWords({ state: 'live', source, since: 100 }, 867)).toMatchObject({ label: 'Live', seconds: 767 });
    expect(sessionWords({ state: 'stalled', source, since: 100, stalledSince: 860 }, 867)).toMatchObject({
      seconds: 7,
    });
  });
  test('the sentence for a stall', () => {
    expect(stalledSentence(100, 103.7)).toBe('No new picture for 3 s');
    expect(stalledSentence(100, 175)).toBe('No new picture for 1:15');
  });
});

describe('hotkeys', () => {
  const press = (code: string, modifiers = ''): string | undefined =>
    acceleratorOf({
      code,
      ctrlKey: modifiers.includes('c'),
      altKey: modifiers.includes('a'),
      shiftKey: modifiers.includes('s'),
      metaKey: modifiers.includes('m'),
    });

  test.each([
    ['F9', '', 'F9'],
    ['KeyR', 'cs', 'Control+Shift+R'],
    ['Digit5', 'a', 'Alt+5'],
    ['Numpad0', 'm', 'Super+num0'],
    ['ArrowUp', 'casm', 'Control+Alt+Shift+Super+Up'],
    ['PageDown', '', 'PageDown'],
  ])('%s with "%s" is %s, which the contract takes', (code, modifiers, accelerator) => {
    expect(press(code, modifiers)).toBe(accelerator);
    expect(Accelerator.safeParse(accelerator).success).toBe(true);
  });

  test.each(['ControlLeft', 'ShiftRight', 'F25', 'MediaPlayPause', ''])('%s alone is no hotkey', (code) => {
    expect(press(code)).toBeUndefined();
  });

  test('keys people type or move with need a modifier', () => {
    expect(['R', 'Shift+R', 'Space', 'Left', 'num5', 'Tab'].filter((key) => refusalOf(key) === undefined)).toEqual([]);
    expect(['F9', 'Control+R', 'Alt+Space', 'Pause', 'Insert', ''].filter((key) => refusalOf(key))).toEqual([]);
  });

  test('shown as key caps', () => expect(acceleratorParts('Control+Shift+R')).toEqual(['Ctrl', 'Shift', 'R']));
});
