import { describe, expect, it } from 'vitest';
import { Marks } from './marks.ts';

const epoch = (id: number, from: number, to: number) => ({
  id,
  codec: 'h264' as const,
  from,
  to,
  seconds: to - from,
  bytes: 1,
});

describe('marks', () => {
  it('name the newest picture and are numbered when nobody names them', () => {
    const marks = new Marks();
    const status = { epochs: [epoch(1, 0, 5), epoch(2, 10, 12.5)] };
    expect(marks.add(undefined, status)).toEqual({ id: 'mark-1', at: 12.5, label: 'Mark 1', epoch: 2 });
    expect(marks.add('  Crash\n\tat\u0000T1 ', status).label).toBe('Crash at T1');
    expect(marks.add('\u200b\n', status).label).toBe('Mark 3');
    expect(marks.add('x'.repeat(500), status).label).toHaveLength(80);
    expect(marks.list.map(({ id }) => id)).toEqual(['mark-1', 'mark-2', 'mark-3', 'mark-4']);
  });

  it('cannot be set on nothing', () => {
    expect(() => new Marks().add('a', { epochs: [] })).toThrow(expect.objectContaining({ code: 'buffer-empty' }));
  });

  it('go when their pictures go, and not before', () => {
    const marks = new Marks();
    marks.add('old', { epochs: [epoch(1, 0, 5)] });
    marks.add('new', { epochs: [epoch(1, 0, 5), epoch(2, 10, 12)] });
    marks.prune({ epochs: [epoch(1, 5, 6), epoch(2, 10, 20)] });
    expect(marks.list.map(({ label }) => label)).toEqual(['old', 'new']);
    marks.prune({ epochs: [epoch(1, 5.1, 6), epoch(2, 10, 20)] });
    expect(marks.list.map(({ label }) => label)).toEqual(['new']);
    marks.prune({ epochs: [] });
    expect(marks.list).toEqual([]);
  });

  it('are deleted by their id, once', () => {
    const marks = new Marks();
    const { id } = marks.add('a', { epochs: [epoch(1, 0, 5)] });
    marks.delete(id);
    expect(marks.list).toEqual([]);
    expect(() => marks.delete(id)).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it('are bounded: the oldest go first', () => {
    const marks = new Marks();
    for (let i = 0; i < 250; i++) marks.add(`m${i}`, { epochs: [epoch(1, 0, i)] });
    expect(marks.list).toHaveLength(100);
    expect(marks.list[0]?.label).toBe('m150');
  });
});
