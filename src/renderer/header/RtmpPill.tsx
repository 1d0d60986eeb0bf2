import { useRef } from 'react';
import { playAddress } from '../stream/snippets.ts';
import { openDialog, useStudio } from '../store/store.ts';
import { CopyButton } from '../ui/CopyButton.tsx';
import { cx } from '../ui/cx.ts';
import { count } from '../words/format.ts';

/** The address readers open, how many there are, and a button that copies it; it opens what there is to say about the stream. */
export function RtmpPill() {
  const rtmp = useStudio((state) => state.rtmp);
  const playKey = useStudio((state) => state.settings.playKey);
  const address = useRef<HTMLSpanElement>(null);
  const up = rtmp.state === 'up';
  return (
    <span
      className={cx(
        'inline-flex h-7 min-w-0 items-center gap-2 rounded-full border text-[12.5px] max-sm:order-last max-sm:w-full',
        up ? 'border-edge pr-1' : 'border-edge pr-3 pl-3',
        rtmp.state === 'down' && 'border-warn/50 bg-warn/10',
      )}
      title={rtmp.state === 'down' ? `${rtmp.error.message} ${rtmp.error.remedy}` : undefined}
    >
      {!up && <Dot className={rtmp.state === 'down' ? 'bg-warn' : 'bg-faint'} />}
      {rtmp.state === 'starting' && <span className="text-dim">RTMP server starting</span>}
      {rtmp.state === 'down' && <span className="truncate">RTMP server down</span>}
      {up && (
        <>
          <button
            type="button"
            title="Use this stream in other programs"
            onClick={() => openDialog({ kind: 'stream', tab: 'use' })}
            className="inline-flex h-full min-w-0 items-center gap-2 rounded-full pr-1 pl-3 hover:bg-raised max-sm:flex-1"
          >
            <Dot className="bg-ok" />
            <span ref={address} className="truncate max-sm:flex-1 max-sm:text-left">
              {rtmp.url}
            </span>
            <span className="num shrink-0 text-dim">{count(rtmp.readers.length, 'reader')}</span>
          </button>
          <CopyButton
            text={playAddress(rtmp.url, playKey)}
            label="Copy the RTMP address"
            select={() => address.current && window.getSelection()?.selectAllChildren(address.current)}
          />
        </>
      )}
    </span>
  );
}

const Dot = ({ className }: { className: string }) => (
  <i aria-hidden className={cx('size-2 shrink-0 rounded-full', className)} />
);
