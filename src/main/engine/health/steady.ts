import type { Problem, ProblemCode } from '../../../contract/index.ts';
import { CATALOG } from './catalog.ts';

export type ProblemChange = { appeared: readonly Problem[]; cleared: readonly Problem[] };

type Known = { since: number; seen: number; shown: boolean; problem: Problem };

/**
 * Gives every problem its times from the catalog: it is told once it has stood for `holdSeconds`, and taken back once it has been gone
 * for `clearSeconds`, so that nothing flickers. One of a capture ends with it at once. `onChange` hears of each coming and going once.
 */
export class SteadyProblems {
  readonly #known = new Map<ProblemCode, Known>();
  readonly #onChange: (change: ProblemChange) => void;

  constructor(onChange: (change: ProblemChange) => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** What is shown of `problems`. `now` in seconds; `running` while a capture runs. Several of one code count as one, the first. */
  filter(problems: readonly Problem[], now: number, running: boolean): Problem[] {
    const present = new Map<ProblemCode, Problem>();
    for (const problem of problems) if (!present.has(problem.code)) present.set(problem.code, problem);
    const appeared: Problem[] = [];
    const cleared: Problem[] = [];
    for (const [code, known] of this.#known) {
      if (present.has(code)) continue;
      const { scope, clearSeconds } = CATALOG[code];
      const lingers = known.shown && now - known.seen < clearSeconds && (running || scope === 'studio');
      if (lingers) continue;
      this.#known.delete(code);
      if (known.shown) cleared.push(known.problem);
    }
    for (const [code, problem] of present) {
      const known = this.#known.get(code) ?? { since: now, seen: now, shown: false, problem };
      const shown = known.shown || now - known.since >= CATALOG[code].holdSeconds;
      if (shown && !known.shown) appeared.push(problem);
      this.#known.set(code, { since: known.since, seen: now, shown, problem });
    }
    if (appeared.length > 0 || cleared.length > 0) this.#onChange({ appeared, cleared });
    return [...this.#known.values()].flatMap(({ shown, problem }) => (shown ? [problem] : []));
  }
}
