import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { cx } from './cx.ts';

type Props = {
  text: string;
  /** what the button does, for those who do not see its picture */
  label: string;
  /** Leaves the text selected, for a browser that gives no clipboard. */
  select: () => void;
  className?: string;
};

/** Copies a text; a page on an insecure address has no clipboard and a browser may refuse: then the text is left selected. */
export function CopyButton({ text, label, select, className }: Props) {
  const [outcome, setOutcome] = useState<'copied' | 'selected' | null>(null);
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(null), 3000);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = (): void => {
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
        aria-label={label}
        title={label}
        onClick={copy}
        className={cx(
          'grid size-6 shrink-0 place-items-center rounded-full hover:bg-raised',
          outcome === 'copied' ? 'text-ok' : 'text-dim',
          className,
        )}
      >
        {outcome === 'copied' ? <Check size={13} aria-hidden /> : <Copy size={13} aria-hidden />}
      </button>
      <span role="status" className={outcome === 'selected' ? 'shrink-0 pr-2 text-xs text-warn' : 'sr-only'}>
        {outcome === 'copied' && 'Copied'}
        {outcome === 'selected' && 'Selected: press Ctrl+C'}
      </span>
    </>
  );
}
