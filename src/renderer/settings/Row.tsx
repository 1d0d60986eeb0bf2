import type { ReactNode } from 'react';
import { cx } from '../ui/cx.ts';

type RowProps = {
  label: string;
  id?: string;
  note?: string | undefined;
  error?: string | undefined;
  children: ReactNode;
};

/** A label with what it names, and a note or what is wrong below. */
export function Row({ label, id, note, error, children }: RowProps) {
  const Label = id === undefined ? 'span' : 'label';
  return (
    <div className="grid items-start gap-x-4 gap-y-1 sm:grid-cols-[180px_1fr]">
      <Label {...(id === undefined ? {} : { htmlFor: id })} className="text-[13px] leading-9">
        {label}
      </Label>
      <div className="min-w-0">
        {children}
        {(error ?? note) !== undefined && (
          <p id={`${id ?? label}-note`} className={cx('mt-1.5 text-xs', error === undefined ? 'text-dim' : 'text-bad')}>
            {error ?? note}
          </p>
        )}
      </div>
    </div>
  );
}
