import { openDialog, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { count } from '../words/format.ts';

/** Where the stream goes, beside the picture while there is one. */
export function StreamCard() {
  const readers = useStudio(({ rtmp }) => (rtmp.state === 'up' ? rtmp.readers.length : null));
  const push = useStudio((state) => state.push);
  const wanted = push.filter(({ enabled }) => enabled);
  const live = wanted.filter(({ state }) => state === 'live');
  const failing = wanted.some(({ state }) => state === 'retrying');
  return (
    <section aria-labelledby="stream-title" className="card shrink-0 px-3.5 py-3">
      <div className="flex items-center justify-between gap-2">
        <h2 id="stream-title" className="card-title">
          Stream
        </h2>
        <span className="num truncate text-xs text-dim">
          {readers === null ? 'no server' : count(readers, 'reader')}
        </span>
      </div>
      <div className="mt-2 flex flex-wrap gap-2">
        <Button size="small" onClick={() => openDialog({ kind: 'stream', tab: 'use' })}>
          Use this stream
        </Button>
        <Button
          size="small"
          className={failing ? 'border-warn/50' : ''}
          onClick={() => openDialog({ kind: 'stream', tab: 'push' })}
        >
          {wanted.length === 0 ? 'Push to a server' : `Pushed to ${live.length} of ${wanted.length}`}
        </Button>
      </div>
    </section>
  );
}
