import type { Source } from '../../contract/sources.ts';
import { cx } from '../ui/cx.ts';
import { Picture } from '../ui/Picture.tsx';
import { dimensions } from '../words/format.ts';
import { kindWords, ordered, thumbnailUrl } from './pick.ts';
import { SourceIcon } from './SourceIcon.tsx';

type Props = {
  sources: readonly Source[];
  selectedId: string | undefined;
  /** the one being captured now */
  currentId?: string | undefined;
  onSelect: (id: string) => void;
  /** grows when the pictures should be fetched again */
  version: number;
  /** Enter, or a double click */
  onConfirm: () => void;
};

/** The windows and screens as a native radio group: arrow keys move, Enter confirms. */
export function SourceList({ sources, selectedId, currentId, onSelect, version, onConfirm }: Props) {
  return (
    <div
      role="radiogroup"
      aria-label="Source"
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || event.repeat) return;
        event.preventDefault();
        onConfirm();
      }}
      className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,260px),1fr))] gap-3 max-sm:grid-cols-2"
    >
      {ordered(sources).map((source) => (
        <label
          key={source.id}
          onDoubleClick={() => source.available && onConfirm()}
          className={cx(
            'relative flex min-w-0 flex-col rounded-[10px] border bg-raised p-2 transition-colors select-none',
            'has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent',
            source.id === selectedId ? 'border-accent bg-accent/12' : 'border-line',
            source.available ? source.id !== selectedId && 'hover:border-edge' : 'border-dashed bg-transparent',
          )}
        >
          <input
            type="radio"
            name="source"
            value={source.id}
            className="sr-only"
            checked={source.id === selectedId}
            disabled={!source.available}
            onChange={() => onSelect(source.id)}
          />
          <Picture
            src={thumbnailUrl(source, version)}
            className={cx('aspect-video w-full rounded-md', !source.available && 'opacity-40')}
            fallback={<SourceIcon kind={source.kind} size={34} />}
          />
          <span className="mt-2 truncate px-0.5 font-medium" title={source.name}>
            {source.name}
          </span>
          <span className="num flex justify-between gap-2 px-0.5 text-xs text-dim">
            <span className="truncate">{kindWords(source)}</span>
            {source.width !== undefined && source.height !== undefined && (
              <span className="shrink-0">{dimensions(source.width, source.height)}</span>
            )}
          </span>
          {!source.available && source.reason !== undefined && (
            <span className="mt-1 px-0.5 text-xs text-warn">{source.reason}</span>
          )}
          {(source.suggested || source.id === currentId) && (
            <span className="absolute top-3.5 left-3.5 rounded-md bg-accent px-2 py-0.5 text-xs font-semibold text-accent-ink">
              {source.id === currentId ? 'Streaming now' : 'Suggested'}
            </span>
          )}
        </label>
      ))}
    </div>
  );
}
