import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemCode, type Problem } from '../../../contract/index.ts';
import { CATALOG } from './catalog.ts';
import { SteadyProblems } from './steady.ts';

const problem = (code: ProblemCode, message: string = code): Problem => ({
  code,
  severity: 'warning',
  message,
  remedy: 'x',
});

/** Feeds one set of problems per quarter second; what was shown, and what was said to appear and clear. */
function run(steps: readonly (readonly ProblemCode[])[], running = true): { shown: string[][]; told: string[] } {
  const told: string[] = [];
  const steady = new SteadyProblems(({ appeared, cleared }) => {
    told.push(...appeared.map(({ code }) => `+${code}`), ...cleared.map(({ code }) => `-${code}`));
  });
  const shown = steps.map((codes, i) =>
    steady
      .filter(
        codes.map((code) => problem(code)),
        i / 4,
        running,
      )
      .map(({ code }) => code),
  );
  return { shown, told };
}
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('problems come and go steadily', () => {
  it('a rate is told after two seconds, and taken back two seconds after it was seen last', () => {
    const { shown, told } = run([...times(9, ['fps-low'] as const), ...times(12, [])]);
    expect(shown.findIndex((codes) => codes.length > 0)).toBe(8);
    expect(shown.findLastIndex((codes) => codes.length > 0)).toBe(15);
    expect(told).toEqual(['+fps-low', '-fps-low']);
  });

  it('one that flickers around its threshold is told once, not each time', () => {
    const { told } = run([
      ...times(10, ['fps-low'] as const),
      ...times(40, 0).map((_, i) => (i % 4 === 0 ? (['fps-low'] as const) : [])),
    ]);
    expect(told).toEqual(['+fps-low']);
  });

  it('one that is known at once passes at once, both ways', () => {
    expect(run([['rtmp-down'], []])).toEqual({ shown: [['rtmp-down'], []], told: ['+rtmp-down', '-rtmp-down'] });
  });

  it('one of a capture ends with the capture', () => {
    const steady = new SteadyProblems();
    for (let i = 0; i <= 12; i++) steady.filter([problem('picture-black')], i / 4, true);
    expect(steady.filter([], 3.25, true)).toHaveLength(1);
    expect(steady.filter([], 3.5, false)).toEqual([]);
  });

  it('shows the newest words, and the first of several of one code', () => {
    const steady = new SteadyProblems();
    steady.filter([problem('stalled', 'for 1 s')], 0, true);
    expect(steady.filter([problem('stalled', 'for 2 s'), problem('stalled', 'other')], 1, true)).toEqual([
      problem('stalled', 'for 2 s'),
    ]);
  });

  it('says each coming and going once, in turn, whatever happens', () => {
    const codes = fc.uniqueArray(fc.constantFrom(...ProblemCode.options), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(codes, fc.boolean(), fc.nat(3000)), { maxLength: 60 }), (steps) => {
        const open = new Set<string>();
        const steady = new SteadyProblems(({ appeared, cleared }) => {
          for (const { code } of cleared) expect(open.delete(code)).toBe(true);
          for (const { code } of appeared) {
            expect(open.has(code)).toBe(false);
            open.add(code);
          }
        });
        let now = 0;
        for (const [present, running, ms] of steps) {
          now += ms / 1000;
          const shown = steady.filter(
            present.map((code) => problem(code)),
            now,
            running,
          );
          expect(new Set(shown.map(({ code }) => code))).toEqual(open);
        }
      }),
    );
  });

  it('no problem waits longer to be told than three seconds after its window, or lingers for a quarter of a minute', () => {
    for (const { holdSeconds, clearSeconds } of Object.values(CATALOG)) {
      expect(holdSeconds).toBeLessThanOrEqual(5);
      expect(clearSeconds).toBeLessThanOrEqual(10);
    }
  });
});
