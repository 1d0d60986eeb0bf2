import { cx } from '../ui/cx.ts';

type Point = { readonly at: number; readonly value: number | null };

const WIDTH = 104;
const HEIGHT = 24;
const PAD = 2;

/**
 * The polylines of a minute's values over time, broken where nothing was measured. `floor` and `ceiling` are values the
 * scale always includes, so that noise around a steady value does not look like an upheaval.
 */
export function sparkLines(
  points: readonly Point[],
  range: { from: number; to: number; floor: number; ceiling: number },
): string[] {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const low = Math.min(range.floor, ...values);
  const high = Math.max(range.ceiling, ...values, low + 1e-6);
  const lines: string[][] = [];
  let line: string[] | undefined;
  for (const { at, value } of points) {
    if (value === null) {
      line = undefined;
      continue;
    }
    if (!line) lines.push((line = []));
    const x = ((at - range.from) / (range.to - range.from)) * WIDTH;
    const y = HEIGHT - PAD - ((value - low) / (high - low)) * (HEIGHT - 2 * PAD);
    line.push(`${x.toFixed(1)},${y.toFixed(1)}`);
  }
  return lines.map((parts) => parts.join(' '));
}

/** The last minute of one value, oldest at the left. */
export function Sparkline(props: {
  points: readonly Point[];
  to: number;
  floor: number;
  ceiling: number;
  className: string;
}) {
  const lines = sparkLines(props.points, {
    from: props.to - 60_000,
    to: props.to,
    floor: props.floor,
    ceiling: props.ceiling,
  });
  return (
    <svg
      aria-hidden
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      className={cx('h-6 w-[104px] shrink-0 overflow-hidden fill-none', props.className)}
    >
      {lines.map((points) => (
        <polyline key={points} points={points} stroke="currentColor" strokeWidth={1.6} strokeLinejoin="round" />
      ))}
    </svg>
  );
}
