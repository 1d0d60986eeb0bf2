import { openDialog, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { Picture } from '../ui/Picture.tsx';
import { kindWords, thumbnailUrl } from './pick.ts';
import { SourceIcon } from './SourceIcon.tsx';
import { useChosenSource } from './SourcePicker.tsx';

/** The source being streamed, or the one that would be. */
export function SourceCard() {
  const session = useStudio((state) => state.session);
  const sources = useStudio((state) => state.sources);
  const chosen = useChosenSource();
  const captured = session.state === 'idle' ? null : session.source;
  const source = captured ?? chosen;
  const known = sources.find(({ id }) => id === source?.id);

  return (
    <section aria-labelledby="source-title" className="card shrink-0 px-3.5 py-3">
      <h2 id="source-title" className="card-title mb-2">
        Source
      </h2>
      {source ? (
        <div className="flex items-center gap-3">
          <Picture
            key={session.state}
            src={thumbnailUrl(source, 0)}
            className="h-9 w-16 shrink-0 rounded-md"
            fallback={<SourceIcon kind={source.kind} size={18} />}
          />
          <div className="min-w-0 flex-1">
            <div className="truncate font-semibold" title={source.name}>
              {source.name}
            </div>
            <div className="truncate text-xs text-dim">{kindWords(known ?? source)}</div>
          </div>
          {session.state !== 'idle' && session.state !== 'stopping' && (
            <Button size="small" onClick={() => openDialog({ kind: 'sources' })}>
              Change
            </Button>
          )}
        </div>
      ) : (
        <p className="text-[12.5px] text-dim">None chosen yet.</p>
      )}
      {session.state !== 'live' && known?.hint !== undefined && (
        <p className="mt-2 text-xs break-words text-dim">{known.hint}</p>
      )}
    </section>
  );
}
