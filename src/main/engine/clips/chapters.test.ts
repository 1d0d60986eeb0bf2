import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chaptersOf, ffmetadata } from './chapters.ts';

const mark = (at: number, label: string, epoch = 1) => ({ id: label, at, label, epoch });
const clip = { epoch: 1, from: 100, seconds: 10 };

describe('chapters', () => {
  it('are the marks within the clip, each up to the next, with one before the first', () => {
    const marks = [mark(107, 'b'), mark(103, 'a'), mark(99, 'before'), mark(111, 'after'), mark(105, 'elsewhere', 2)];
    expect(chaptersOf(marks, clip)).toEqual([
      { from: 0, to: 3, title: 'Start' },
      { from: 3, to: 7, title: 'a' },
      { from: 7, to: 10, title: 'b' },
    ]);
    expect(chaptersOf([], clip)).toEqual([]);
    expect(chaptersOf([mark(100, 'at once')], clip)).toEqual([{ from: 0, to: 10, title: 'at once' }]);
  });

  it('never overlap, never are empty, never lie outside', () => {
    const some = fc.array(fc.double({ min: 95, max: 115, noNaN: true }).map((at) => mark(at, 'm')));
    fc.assert(
      fc.property(some, (marks) => {
        const chapters = chaptersOf(marks, clip);
        let last = 0;
        for (const { from, to } of chapters) {
          expect(from).toBeCloseTo(last, 9);
          expect(to - from).toBeGreaterThan(0.009);
          last = to;
        }
        if (chapters.length > 0) expect(last).toBe(10);
      }),
    );
  });

  it('are written in ffmpeg’s format, special characters escaped', () => {
    const text = ffmetadata([{ from: 0.5, to: 2, title: 'a=b;c#d\\' }], 0.25);
    expect(text).toBe(
      ';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000000\nSTART=750000\nEND=2250000\ntitle=a\\=b\\;c\\#d\\\\ \n',
    );
  });
});
