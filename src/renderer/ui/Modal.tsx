import { X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import type { ComponentProps, ReactNode } from 'react';
import { cx } from './cx.ts';

export const OVERLAY = 'fixed inset-0 z-40 bg-black/65';
export const PANEL =
  'card fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-24px)] w-[calc(100vw-24px)] -translate-x-1/2 -translate-y-1/2 flex-col shadow-2xl shadow-black/60';

type Props = {
  title: string;
  /** spoken with the title, and shown under it */
  description?: ReactNode;
  onClose: () => void;
  width: string;
  children: ReactNode;
} & Pick<ComponentProps<typeof Dialog.Content>, 'onOpenAutoFocus' | 'onEscapeKeyDown'>;

/** A dialog with a title, a close button and the focus kept inside. */
export function Modal({ title, description, onClose, width, children, ...content }: Props) {
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className={OVERLAY} />
        <Dialog.Content
          className={cx(PANEL, width)}
          {...(description === undefined ? { 'aria-describedby': undefined } : {})}
          {...content}
        >
          <header className="flex items-start gap-3 border-b border-line px-5 py-3.5">
            <div className="min-w-0 flex-1">
              <Dialog.Title className="truncate text-[15px] font-semibold">{title}</Dialog.Title>
              {description !== undefined && (
                <Dialog.Description className="mt-0.5 text-[12.5px] text-dim">{description}</Dialog.Description>
              )}
            </div>
            <Dialog.Close
              aria-label="Close"
              className="-mr-2 grid size-8 place-items-center rounded-lg text-dim hover:bg-raised hover:text-ink"
            >
              <X size={17} aria-hidden />
            </Dialog.Close>
          </header>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
