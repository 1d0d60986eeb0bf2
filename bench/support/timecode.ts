import type { Rect } from './geometry.ts';

const COLUMNS = 8;
const ROWS = 3;
/** bits of the clock shown: it wraps after 4.6 hours */
const BITS = COLUMNS * ROWS;
const WRAP = 2 ** BITS;
/** A block between these is neither black nor white: two pictures mixed, or not our picture. */
const BLACK = 80;
const WHITE = 175;
/** Half the side of the square of pixels averaged in the middle of a block. */
const REACH = 2;

/**
 * A page that shows the low 24 bits of `Date.now()` on every animation frame as 8 x 3 blocks, white for 1, most significant first,
 * between a red band above and a blue one below (each a fifth of the height), which show that the picture is whole.
 */
export const timecodePage = (title: string): string => `<!doctype html><meta charset="utf-8"><title>${title}</title>
<style>html,body{margin:0;height:100%;overflow:hidden}canvas{display:block}</style><canvas></canvas><script>
const canvas = document.querySelector('canvas');
const pen = canvas.getContext('2d', { alpha: false });
function show() {
  const width = (canvas.width = innerWidth) / ${COLUMNS};
  const height = (canvas.height = innerHeight) / ${ROWS + 2};
  const now = Date.now() % ${WRAP};
  pen.fillStyle = '#f00';
  pen.fillRect(0, 0, canvas.width, height);
  pen.fillStyle = '#00f';
  pen.fillRect(0, ${ROWS + 1} * height, canvas.width, height);
  for (let bit = 0; bit < ${BITS}; bit++) {
    pen.fillStyle = (now >> (${BITS - 1} - bit)) & 1 ? '#fff' : '#000';
    pen.fillRect((bit % ${COLUMNS}) * width, (1 + Math.floor(bit / ${COLUMNS})) * height, width, height);
  }
  requestAnimationFrame(show);
}
show();
</script>`;

/** A screenshot: `width * height` pixels of four bytes, blue, green, red, unused. */
export type Shot = { readonly width: number; readonly pixels: Uint8Array };

/** Milliseconds (modulo 2^24) shown in `area`; undefined when no whole picture of the page is there. */
export function readTimecode(shot: Shot, area: Rect): number | undefined {
  const colour = (column: number, row: number): readonly [number, number, number] =>
    average(shot, area.x + ((column + 0.5) * area.width) / COLUMNS, area.y + ((row + 0.5) * area.height) / (ROWS + 2));
  let value = 0;
  for (let column = 0; column < COLUMNS; column++) {
    const [blueAbove, , redAbove] = colour(column, 0);
    const [blueBelow, , redBelow] = colour(column, ROWS + 1);
    if (redAbove - blueAbove < 100 || blueBelow - redBelow < 100) return undefined;
  }
  for (let bit = 0; bit < BITS; bit++) {
    const [blue, green, red] = colour(bit % COLUMNS, 1 + Math.floor(bit / COLUMNS));
    const light = (blue + green + red) / 3;
    if (light > BLACK && light < WHITE) return undefined;
    value = value * 2 + (light >= WHITE ? 1 : 0);
  }
  return value;
}

/** How much older the second time is than the first, milliseconds. */
export function ageOf(source: number, shown: number): number {
  const difference = (source - shown + WRAP) % WRAP;
  return difference > WRAP / 2 ? difference - WRAP : difference;
}

function average({ width, pixels }: Shot, x: number, y: number): readonly [number, number, number] {
  let [blue, green, red, count] = [0, 0, 0, 0];
  for (let dy = -REACH; dy <= REACH; dy++) {
    for (let dx = -REACH; dx <= REACH; dx++) {
      const at = 4 * ((Math.round(y) + dy) * width + Math.round(x) + dx);
      blue += pixels[at] ?? 0;
      green += pixels[at + 1] ?? 0;
      red += pixels[at + 2] ?? 0;
      count += 1;
    }
  }
  return [blue / count, green / count, red / count];
}
