import { Unplug } from 'lucide-react';
import { tryNow } from '../store/connection.ts';
import { useStudioStore } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { useNow } from '../ui/useNow.ts';
import { timeOfDay } from '../words/format.ts';

/** Says that the studio does not answer, since when, what is being done, and what a person can do. */
export function ConnectionBanner() {
  const connection = useStudioStore((store) => store.connection);
  const now = useNow(500) * 1000;
  if (connection.status !== 'lost') return null;
  const { nextAttemptAt, since, attempt } = connection;
  const pause = nextAttemptAt === null ? 0 : Math.ceil((nextAttemptAt - now) / 1000);
  return (
    <section
      aria-label="Connection"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-warn/40 bg-[#2a220f] px-4 py-2 text-[13px]"
    >
      <Unplug size={16} aria-hidden className="shrink-0 text-warn" />
      <p className="min-w-0 flex-1">
        <strong role="status" className="font-semibold">
          Reconnecting to the studio…
        </strong>{' '}
        <span className="num text-dim">
          No answer since {timeOfDay(since)}. {pause > 0 ? `Next attempt in ${pause} s` : `Attempt ${attempt + 1}`}. If
          it stays away, check that Pitwall is still running and start it again; saved clips are on disk.
        </span>
      </p>
      <Button size="small" onClick={tryNow} disabled={pause <= 0}>
        Try now
      </Button>
      <Button size="small" look="quiet" onClick={() => window.location.reload()}>
        Reload
      </Button>
    </section>
  );
}
