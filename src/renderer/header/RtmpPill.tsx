import { Check, Copy } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useStudio } from '../store/store.ts';
import { cx } from '../ui/cx.ts';
import { count } from '../words/format.ts';

/** The address readers open, how many there are, and a button that copies it. */
export function RtmpPill() {
  const rtmp = useStudio((state) => state.rtmp);
  const address = useRef<HTMLSpanElement>(null);
  const up = rtmp.state === 'up';
  return (
    <span
      className={cx(
        'inline-flex h-7 min-w-0 items-center gap-2 rounded-full border pl-3 text-[12.5px] max-sm:order-last max-sm:w-full',
        up ? 'border-edge pr-1' : 'border-edge pr-3',
        rtmp.state === 'down' && 'border-warn/50 bg-warn/10',
      )}
      title={rtmp.state === 'down' ? `${rtmp.error.message} ${rtmp.error.remedy}` : undefined}
    >
      <i
        aria-hidden
        className={cx('size-2 shrink-0 rounded-full', up ? 'bg-ok' : rtmp.state === 'down' ? 'bg-warn' : 'bg-faint')}
      />
      {rtmp.state === 'starting' && <span className="text-dim">RTMP server starting</span>}
      {rtmp.state === 'down' && <span className="truncate">RTMP server down</span>}
      {up && (
        <>
          <span ref={address} className="truncate max-sm:flex-1">
            {rtmp.url}
          </span>
          <span className="num shrink-0 text-dim">{count(rtmp.readers.length, 'reader')}</span>
          <CopyButton
            text={rtmp.url}
            select={() => address.current && window.getSelection()?.selectAllChildren(address.current)}
          />
        </>
      )}
    </span>
  );
}

function CopyButton({ text, select }: { text: string; select: () => void }) {
  const [outcome, setOutcome] = useState<'copied' | 'selected' | null>(null);
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(null), 3000);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = (): void => {
    // an insecure origin has no clipboard, and a browser may refuse it: then the address is left selected
    const writing = window.isSecureContext
      ? navigator.clipboard.writeText(text)
      : Promise.reject(new Error('insecure'));
    writing.then(
      () => setOutcome('copied'),
      () => {
        select();
        setOutcome('selected');
      },
    );
  };
  return (
    <>
      <button
        type="button"
        aria-label="Copy the RTMP address"
        title="Copy the address"
        onClick={copy}
        className={cx(
          'grid size-6 shrink-0 place-items-center rounded-full hover:bg-raised',
          outcome === 'copied' ? 'text-ok' : 'text-dim',
        )}
      >
        {outcome === 'copied' ? <Check size={13} aria-hidden /> : <Copy size={13} aria-hidden />}
      </button>
      <span role="status" className={outcome === 'selected' ? 'shrink-0 pr-2 text-warn' : 'sr-only'}>
        {outcome === 'copied' && 'Copied'}
        {outcome === 'selected' && 'Selected: press Ctrl+C'}
      </span>
    </>
  );
}
