import { acceleratorParts } from '../words/accelerator.ts';
import { cx } from './cx.ts';

/** A hotkey as key caps. */
export function Keys({ accelerator, onAccent = false }: { accelerator: string; onAccent?: boolean }) {
  return (
    <span className="inline-flex gap-1">
      {acceleratorParts(accelerator).map((part) => (
        <kbd
          key={part}
          className={cx(
            'rounded-[5px] border border-b-2 px-1.5 font-mono text-xs leading-[18px]',
            onAccent ? 'border-black/25 bg-black/10 text-accent-ink' : 'border-edge bg-page text-dim',
          )}
        >
          {part}
        </kbd>
      ))}
    </span>
  );
}
