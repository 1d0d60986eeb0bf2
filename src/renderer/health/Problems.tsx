import { useEffect, useRef, useState } from 'react';
import type { Problem, ProblemCode } from '../../contract/health.ts';
import { openClipsFolder } from '../store/actions.ts';
import { openDialog, useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { Sentence } from '../ui/Sentence.tsx';
import { bySeverity, newProblems, type ProblemAction, problemAction } from '../words/problem-words.ts';

/** What is wrong now, the worst first, each with what to do and, where there is one, a button that does it. */
export function Problems({ problems }: { problems: readonly Problem[] }) {
  const session = useStudio((state) => state.session);
  return (
    <>
      <Announcer problems={problems} />
      {problems.length > 0 && (
        <ul aria-label="Problems" className="mb-3 grid gap-2">
          {bySeverity(problems).map((problem) => (
            <li key={problem.code}>
              <Sentence {...problem} action={<Action action={problemAction(problem.code, session)} />} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Action({ action }: { action: ProblemAction | undefined }) {
  const connected = useConnected();
  if (!action) return null;
  const act = (): void => {
    if (action.does === 'settings') openDialog({ kind: 'settings', group: action.group });
    else if (action.does === 'sources') openDialog({ kind: 'sources' });
    else if (action.does === 'push') openDialog({ kind: 'stream', tab: 'push' });
    else void openClipsFolder();
  };
  return (
    <Button size="small" className="mt-2" disabled={action.does === 'clips-folder' && !connected} onClick={act}>
      {action.label}
    </Button>
  );
}

/** Says each problem aloud when it comes, once: their numbers change all the time and are no news. */
function Announcer({ problems }: { problems: readonly Problem[] }) {
  const known = useRef<ReadonlySet<ProblemCode>>(new Set());
  const [words, setWords] = useState('');
  useEffect(() => {
    const news = newProblems(problems, known.current);
    known.current = new Set(problems.map(({ code }) => code));
    if (news !== '') setWords(news);
  }, [problems]);
  return (
    <p role="status" className="sr-only">
      {words}
    </p>
  );
}
