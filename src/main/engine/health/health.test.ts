import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CaptureInfo, SessionState } from '../../../contract/index.ts';
import { CATALOG } from './catalog.ts';
import { deriveHealth, type HealthInput } from './health.ts';
import { ByteRate, RateWindow } from './window.ts';

const block = (frame: number, outTime: number, dup = 0, drop = 0): Parameters<RateWindow['add']>[1] => ({
  frame,
  dup,
  drop,
  q: 20,
  outTime,
  end: false,
});

/** A capture at `fps` from 0 to `until` seconds, a progress block every quarter second. */
function run(window: RateWindow, fps: number, until: number, dupFrom = Number.POSITIVE_INFINITY): void {
  for (let at = 0; at <= until; at += 0.25) {
    const frame = Math.round(at * fps);
    window.add(at, block(frame, at, at > dupFrom ? Math.round((at - dupFrom) * fps) : 0));
  }
}

describe('rates over two seconds', () => {
  it('are the true ones of a steady capture', () => {
    const window = new RateWindow();
    run(window, 30, 10);
    const { fps, speed } = window.read(10);
    expect(fps).toBeCloseTo(30, 0);
    expect(speed).toBeCloseTo(1, 2);
  });

  it('do not count repeated pictures, which ffmpeg does', () => {
    const window = new RateWindow();
    run(window, 30, 10, 6);
    expect(window.read(10).fps).toBeCloseTo(0, 0);
    expect(window.read(10).speed).toBeCloseTo(1, 2);
  });

  it('show a stopped encoder within two seconds', () => {
    const window = new RateWindow();
    run(window, 30, 60);
    const fps = (now: number): number => window.read(now).fps ?? Number.NaN;
    expect(fps(60)).toBeCloseTo(30, 0);
    expect(fps(61)).toBeLessThan(25);
    expect(fps(62)).toBeLessThan(8);
    expect(fps(63)).toBe(0);
  });

  it('say nothing before half a second, and nothing of the ffmpeg before', () => {
    const window = new RateWindow();
    expect(window.read(0)).toMatchObject({ fps: null, speed: null });
    run(window, 30, 5);
    window.reset();
    expect(window.read(5)).toMatchObject({ fps: null, duplicated: 0 });
  });

  it('are never negative or not a number, whatever the blocks say', () => {
    const blocks = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.nat(1000)), { maxLength: 40 });
    fc.assert(
      fc.property(blocks, fc.nat(20), (values, late) => {
        const window = new RateWindow();
        values.forEach(([frame, out, dup, drop], i) => window.add(i / 4, block(frame, out, dup, drop)));
        const { fps, speed } = window.read(values.length / 4 + late);
        for (const rate of [fps, speed]) expect(rate === null || (Number.isFinite(rate) && rate >= 0)).toBe(true);
      }),
    );
  });

  it('of bytes are kbit per second', () => {
    const rate = new ByteRate();
    expect(rate.kbps()).toBeNull();
    for (let i = 0; i <= 20; i++) rate.add(i / 4, i * 250_000);
    expect(rate.kbps()).toBeCloseTo(8000);
  });
});

describe('what is wrong now', () => {
  const source: CaptureInfo = {
    id: 'test-pattern',
    name: 'Test pattern',
    kind: 'test-pattern',
    width: 1280,
    height: 720,
    fps: 30,
    encoder: 'libx264',
  };
  const live: SessionState = { state: 'live', source, since: 0 };
  const good: HealthInput = {
    session: live,
    rates: { fps: 30, speed: 1, q: 20, duplicated: 0, dropped: 0, duplicatedRecently: 0, droppedRecently: 0 },
    bitrateKbps: 5000,
    rtmp: { state: 'up', url: 'rtmp://127.0.0.1:1935/live/test', publishers: [], readers: [] },
    hotkeys: [{ id: 'save', state: 'off' }],
    push: [],
    steadySince: 0,
    now: 60,
    standing: [],
  };
  const codes = (change: Partial<HealthInput>): string[] =>
    deriveHealth({ ...good, ...change }).problems.map((problem) => problem.code);

  it('is nothing while all is well', () => {
    expect(codes({})).toEqual([]);
  });

  it('names each thing, with a remedy', () => {
    const { rates } = good;
    expect(codes({ rates: { ...rates, fps: 28.4 } })).toEqual(['fps-low']);
    expect(codes({ rates: { ...rates, speed: 0.97 } })).toEqual(['speed-low']);
    expect(codes({ rates: { ...rates, duplicatedRecently: 40 } })).toEqual(['frames-duplicated']);
    expect(codes({ rates: { ...rates, droppedRecently: 40 } })).toEqual(['frames-dropped']);
    expect(codes({ session: { state: 'stalled', source, since: 0, stalledSince: 57 } })).toEqual(['stalled']);
    const error = { code: 'port-in-use', message: 'Taken.', remedy: 'Another.' } as const;
    expect(codes({ rtmp: { state: 'down', error } })).toEqual(['rtmp-down']);
    expect(codes({ hotkeys: [{ id: 'save', state: 'unavailable', accelerator: 'F9', error }] })).toEqual([
      'hotkey-unavailable',
    ]);
    for (const problem of deriveHealth({ ...good, rates: { ...rates, fps: 1, speed: 0.1 } }).problems)
      expect(problem.remedy).not.toBe('');
  });

  it('does not judge a capture that has just begun', () => {
    const rates = { ...good.rates, fps: 10, speed: 0.5 };
    expect(codes({ now: 2, rates })).toEqual([]);
    expect(codes({ steadySince: 58, rates })).toEqual([]);
    expect(codes({ steadySince: undefined, rates })).toEqual([]);
  });

  it('counts a push only while it is being tried again, and several as one', () => {
    const error = { code: 'push-failed', message: 'It does not answer.', remedy: 'Check the address.' } as const;
    const target = {
      url: 'rtmp://127.0.0.1/x',
      enabled: true,
      hasKey: true,
      since: 0,
      attempt: 1,
      kbps: null,
      skips: 0,
    };
    const push = (name: string, state: 'live' | 'retrying'): HealthInput['push'][number] => ({
      ...{ ...target, id: name, name, state },
      ...(state === 'retrying' ? { error } : {}),
    });
    expect(codes({ push: [push('a', 'live')] })).toEqual([]);
    const { problems } = deriveHealth({
      ...good,
      push: [push('a', 'live'), push('b', 'retrying'), push('c', 'retrying')],
    });
    expect(problems).toEqual([
      {
        code: 'push-failed',
        severity: 'warning',
        message: 'b: It does not answer. The same goes for 1 more.',
        remedy: error.remedy,
      },
    ]);
  });

  it('tells a lost camera from a closed window', () => {
    const failed = (code: 'device-lost' | 'source-gone'): SessionState => ({
      ...{ state: 'failed', source, at: 0 },
      error: { code, message: 'Gone.', remedy: 'Plug it in.' },
    });
    expect(codes({ session: failed('device-lost') })).toEqual(['device-lost']);
    expect(codes({ session: failed('source-gone') })).toEqual([]);
  });

  it('is as severe as the catalog says', () => {
    const rates = { ...good.rates, fps: 1, speed: 0.1, duplicatedRecently: 999, droppedRecently: 999 };
    const { problems } = deriveHealth({ ...good, rates });
    expect(problems).toHaveLength(4);
    for (const { code, severity } of problems) expect(severity).toBe(CATALOG[code].severity);
  });

  it('shows no rates when nothing runs', () => {
    expect(deriveHealth({ ...good, session: { state: 'idle' } })).toMatchObject({
      fps: null,
      speed: null,
      bitrateKbps: null,
    });
  });
});
