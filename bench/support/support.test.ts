import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { median, percentile, table } from './figures.ts';
import { fitted, mapped, type Rect } from './geometry.ts';
import { ageOf, readTimecode, type Shot } from './timecode.ts';

const WRAP = 2 ** 24;
const AREA: Rect = { x: 13, y: 7, width: 160, height: 100 };
const RED = [0, 0, 255, 0];
const BLUE = [255, 0, 0, 0];

/** What the page draws for `time`, with black around it. */
function picture(time: number): Shot {
  const [width, height] = [200, 120];
  const pixels = new Uint8Array(4 * width * height);
  for (let y = 0; y < AREA.height; y++) {
    const row = Math.floor((y * 5) / AREA.height);
    for (let x = 0; x < AREA.width; x++) {
      const bit = (row - 1) * 8 + Math.floor((x * 8) / AREA.width);
      const level = (time >> (23 - bit)) & 1 ? 255 : 0;
      const colour = row === 0 ? RED : row === 4 ? BLUE : [level, level, level, 0];
      pixels.set(colour, 4 * ((AREA.y + y) * width + AREA.x + x));
    }
  }
  return { width, pixels };
}

/** Paints a rectangle of the picture grey. */
function smudge({ width, pixels }: Shot, x: number, y: number): void {
  for (let dy = 0; dy < 20; dy++) {
    for (let dx = 0; dx < 20; dx++)
      pixels.fill(128, 4 * ((y + dy) * width + x + dx), 4 * ((y + dy) * width + x + dx) + 3);
  }
}

describe('time codes', () => {
  test('are read back, whatever the time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: WRAP - 1 }), (time) => {
        expect(readTimecode(picture(time), AREA)).toBe(time);
      }),
      { numRuns: 50 },
    );
  });

  test('are not read from a picture with a mixed block, a cut band or from elsewhere', () => {
    const mixed = picture(0xabcdef);
    smudge(mixed, AREA.x + 40, AREA.y + 40);
    expect(readTimecode(mixed, AREA)).toBeUndefined();
    const cut = picture(0xabcdef);
    smudge(cut, AREA.x + 140, AREA.y + 80);
    expect(readTimecode(cut, AREA)).toBeUndefined();
    expect(readTimecode(picture(0xabcdef), { ...AREA, y: AREA.y + 20 })).toBeUndefined();
  });

  test('differ by an age that survives the wrap and may be negative', () => {
    expect(ageOf(100, 60)).toBe(40);
    expect(ageOf(10, WRAP - 30)).toBe(40);
    expect(ageOf(60, 100)).toBe(-40);
  });
});

describe('places', () => {
  test('a picture is shown whole and centred, and its parts with it', () => {
    const shown = fitted({ x: 100, y: 50, width: 400, height: 400 }, { width: 640, height: 320 });
    expect(shown).toEqual({ x: 100, y: 150, width: 400, height: 200 });
    const whole = { x: 20, y: 10, width: 640, height: 320 };
    expect(mapped({ x: 20, y: 170, width: 320, height: 160 }, whole, shown)).toEqual({
      x: 100,
      y: 250,
      width: 200,
      height: 100,
    });
  });
});

describe('figures', () => {
  test('median and percentile do not depend on the order', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 0.9)).toBe(9);
    expect(percentile([5], 0.99)).toBe(5);
    expect(median([])).toBeNaN();
  });

  test('a table is aligned', () => {
    expect(
      table(
        ['name', 'ms'],
        [
          ['a', '5'],
          ['longer', '1234'],
        ],
      ),
    ).toBe(['name      ms', '------  ----', 'a          5', 'longer  1234'].join('\n'));
  });
});
