import { expect, test } from 'vitest';
import { sparkLines } from './Sparkline.tsx';

const range = { from: 0, to: 60_000, floor: 0, ceiling: 30 };

test('time runs to the right, larger values are higher, and the scale holds its floor and ceiling', () => {
  expect(
    sparkLines(
      [
        { at: 0, value: 0 },
        { at: 60_000, value: 30 },
      ],
      range,
    ),
  ).toEqual(['0.0,22.0 104.0,2.0']);
});

test('where nothing was measured the line is broken, not drawn through', () => {
  const points = [0, null, 15, 15].map((value, index) => ({ at: index * 20_000, value }));
  expect(sparkLines(points, range)).toEqual(['0.0,22.0', '69.3,12.0 104.0,12.0']);
});

test('nothing measured draws nothing, and a value above the ceiling stays inside', () => {
  expect(sparkLines([], range)).toEqual([]);
  expect(sparkLines([{ at: 0, value: 90 }], range)).toEqual(['0.0,2.0']);
});
