import { TriangleAlert } from 'lucide-react';
import { useStudio } from '../store/store.ts';
import { cx } from '../ui/cx.ts';
import { count } from '../words/format.ts';

/** On a narrow screen, where the health lies below the picture: how many problems there are, and the way there. */
export function ProblemPill() {
  const problems = useStudio((state) => state.health.problems);
  if (problems.length === 0) return null;
  const bad = problems.some(({ severity }) => severity === 'error');
  const show = (): void => {
    const health = document.getElementById('health');
    health?.scrollIntoView({ block: 'start' });
    health?.focus({ preventScroll: true });
  };
  return (
    <button
      type="button"
      onClick={show}
      aria-label={count(problems.length, 'problem')}
      title={count(problems.length, 'problem')}
      className={cx(
        'num inline-flex h-7 items-center gap-1 rounded-full border px-2 text-[12.5px] lg:hidden',
        bad ? 'border-bad/45 bg-bad/10 text-bad' : 'border-warn/50 bg-warn/10 text-warn',
      )}
    >
      <TriangleAlert size={13} aria-hidden />
      {problems.length}
    </button>
  );
}
