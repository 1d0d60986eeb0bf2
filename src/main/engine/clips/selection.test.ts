import { describe, expect, it } from 'vitest';
import { SaveRequest } from '../../../contract/index.ts';
import { choose, startIn, type Moment } from './selection.ts';

const epoch = (from: number, to: number) => ({ id: 1, codec: 'h264' as const, from, to, seconds: to - from, bytes: 1 });
const moment = (over: Partial<Moment> = {}): Moment => ({
  status: { epochs: [epoch(1000, 1090)] },
  ...{ lastSaveEnd: null, defaultSeconds: 60, now: 1090.2 },
  ...over,
});
const chosen = (request: SaveRequest, over?: Partial<Moment>) => choose(SaveRequest.parse(request), moment(over));

describe('what a save takes', () => {
  it.each<[SaveRequest, unknown, number | null]>([
    [{}, { lastSeconds: 60 }, 60],
    [{ seconds: 5 }, { lastSeconds: 5 }, 5],
    [{ from: 0 }, 'all', null],
    [{ from: 1010 }, { from: 1010, to: 1090 }, 80],
    [{ to: 1010 }, { from: 0, to: 1010 }, null],
    [{ from: 900, to: 1010 }, { from: 900, to: 1010 }, 110],
    [{ from: 1080, to: 2000 }, { from: 1080, to: 2000 }, 1090.2 - 1080],
    [{ sinceLastSave: true }, 'all', null],
    [{ seconds: 60, format: 'gif' }, { lastSeconds: 15 }, 60],
    [{ from: 0, format: 'webm' }, { from: 1075, to: 1090 }, null],
    [{ from: 1010, to: 1080, format: 'gif' }, { from: 1065, to: 1080 }, 70],
  ])('%j', (request, selection, asked) => {
    const choice = chosen(request);
    expect(choice.selection).toEqual(selection);
    if (asked === null) expect(choice.askedSeconds).toBeNull();
    else expect(choice.askedSeconds).toBeCloseTo(asked, 6);
    expect(choice.notes.length > 0).toBe(request.format !== undefined);
  });

  it('since the last save goes from its end to the newest picture', () => {
    const choice = chosen({ sinceLastSave: true }, { lastSaveEnd: 1033.4 });
    expect(choice).toMatchObject({
      selection: { from: 1033.4, to: 1090 },
      start: { at: 1033.4, pick: 'after' },
      notes: [],
    });
    expect(chosen({ sinceLastSave: true, format: 'mkv' }, { lastSaveEnd: 1033.4 }).start).toBeNull();
    expect(chosen({ sinceLastSave: true }, { lastSaveEnd: 990 }).notes).toHaveLength(1);
    expect(chosen({ sinceLastSave: true, format: 'gif' }, { lastSaveEnd: 1033.4 }).selection).toEqual({
      from: 1075,
      to: 1090,
    });
  });

  it('begins where asked, counted from the first picture of the oldest stretch', () => {
    const snapshots = [
      { from: 1000, seconds: 10 },
      { from: 1020, seconds: 4 },
    ];
    expect(startIn(chosen({ seconds: 12, exact: true }), snapshots)).toEqual({ seconds: 2, pick: 'before' });
    expect(startIn(chosen({ seconds: 12 }), snapshots)).toBeNull();
    expect(startIn(chosen({ seconds: 20, exact: true }), snapshots)).toBeNull();
    expect(startIn(chosen({ from: 1001.5, exact: true }), snapshots)).toEqual({ seconds: 1.5, pick: 'before' });
    expect(startIn(chosen({ from: 990, exact: true }), snapshots)).toBeNull();
    expect(startIn(chosen({ seconds: 12, exact: true }), [])).toBeNull();
  });
});

describe('a request', () => {
  it.each([
    { seconds: 5, from: 1 },
    { seconds: 5, sinceLastSave: true },
    { from: 1, sinceLastSave: true },
    { from: 5, to: 4 },
    { seconds: 0 },
    { seconds: Number.POSITIVE_INFINITY },
    { format: 'avi' },
    { exact: true, format: 'mkv' },
    { exact: true, format: 'ts' },
    { unknown: 1 },
  ])('%j is refused', (request) => {
    expect(SaveRequest.safeParse(request).success).toBe(false);
  });
});
