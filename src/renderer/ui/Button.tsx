import type { ComponentProps } from 'react';
import { cx } from './cx.ts';

const LOOK = {
  plain: 'border-edge bg-raised text-ink hover:bg-[#222933]',
  primary: 'border-accent bg-accent font-semibold text-accent-ink hover:border-[#7cb2ff] hover:bg-[#7cb2ff]',
  stop: 'border-live/45 bg-raised text-[#ffb3b3] hover:bg-live/15',
  danger: 'border-[#b3383a] bg-[#b3383a] font-semibold text-white hover:bg-[#c24446]',
  quiet: 'border-transparent bg-transparent text-dim hover:bg-raised hover:text-ink',
} as const;

const SIZE = { normal: 'h-9 px-3.5', small: 'h-7 px-2.5 text-[12.5px]', icon: 'size-9' } as const;

type Props = ComponentProps<'button'> & { look?: keyof typeof LOOK; size?: keyof typeof SIZE };

export function Button({ look = 'plain', size = 'normal', className, type = 'button', ...rest }: Props) {
  return (
    <button
      type={type}
      className={cx(
        'inline-flex shrink-0 items-center justify-center gap-2 rounded-lg border whitespace-nowrap transition-colors',
        'disabled:cursor-not-allowed disabled:border-line disabled:bg-raised disabled:font-normal disabled:text-faint',
        SIZE[size],
        LOOK[look],
        className,
      )}
      {...rest}
    />
  );
}
