import { useConnected, useStudio } from '../store/store.ts';
import { cx } from '../ui/cx.ts';
import { useNow } from '../ui/useNow.ts';
import { clock } from '../words/format.ts';
import { announcement, sessionWords, type SessionWords } from '../words/session-words.ts';

const PILL: Record<SessionWords['tone'], string> = {
  live: 'border-live/55 bg-live/14',
  ok: 'border-ok/40',
  warn: 'border-warn/50 bg-warn/10',
  bad: 'border-bad/50 bg-bad/12',
  busy: 'border-accent/45 bg-accent/10',
  plain: 'border-edge',
};
const DOT: Record<SessionWords['tone'], string> = {
  live: 'bg-live',
  ok: 'bg-ok',
  warn: 'bg-warn',
  bad: 'bg-bad',
  busy: 'bg-accent animate-pulse',
  plain: 'bg-faint',
};

/** What the studio is doing, with the time it has been live; changes are announced politely. */
export function StatePill() {
  const session = useStudio((state) => state.session);
  const connected = useConnected();
  const now = useNow();
  const words: SessionWords = connected ? sessionWords(session, now) : { label: 'Not connected', tone: 'bad' };
  return (
    <>
      <span
        data-testid="state"
        data-state={session.state}
        className={cx(
          'inline-flex h-7 items-center gap-2 rounded-full border px-3 text-[12.5px] font-medium',
          PILL[words.tone],
        )}
      >
        <i aria-hidden className={cx('size-2 rounded-full', DOT[words.tone])} />
        {words.label}
        {words.seconds !== undefined && <span className="num font-normal">{clock(words.seconds)}</span>}
      </span>
      <span role="status" className="sr-only">
        {announcement(session)}
      </span>
    </>
  );
}
