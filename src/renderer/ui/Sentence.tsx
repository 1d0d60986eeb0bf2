import { CircleAlert, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from './cx.ts';

/** What is wrong and what to do about it. */
export function Sentence({
  severity,
  message,
  remedy,
  action,
}: {
  severity: 'warning' | 'error';
  message: string;
  remedy: string;
  /** a button that does it */
  action?: ReactNode;
}) {
  const Icon = severity === 'error' ? CircleAlert : TriangleAlert;
  return (
    <div
      className={cx(
        'flex gap-2.5 rounded-lg border px-3 py-2 text-[12.5px]',
        severity === 'error' ? 'border-bad/35 bg-bad/10' : 'border-warn/30 bg-warn/8',
      )}
    >
      <Icon size={15} aria-hidden className={cx('mt-0.5 shrink-0', severity === 'error' ? 'text-bad' : 'text-warn')} />
      <div className="min-w-0 break-words">
        <span className="sr-only">{severity === 'error' ? 'Error: ' : 'Warning: '}</span>
        <div className="font-medium">{message}</div>
        <div className="text-dim">{remedy}</div>
        {action}
      </div>
    </div>
  );
}
