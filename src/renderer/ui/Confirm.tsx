import { AlertDialog } from 'radix-ui';
import type { ReactElement } from 'react';
import { Button } from './Button.tsx';
import { cx } from './cx.ts';
import { OVERLAY, PANEL } from './Modal.tsx';

type Props = {
  /** the button that asks */
  children: ReactElement;
  title: string;
  text: string;
  confirm: string;
  onConfirm: () => void;
};

/** Asks before something cannot be undone; the safe answer has the focus. */
export function Confirm({ children, title, text, confirm, onConfirm }: Props) {
  return (
    <AlertDialog.Root>
      <AlertDialog.Trigger asChild>{children}</AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={OVERLAY} />
        <AlertDialog.Content className={cx(PANEL, 'max-w-md p-5')}>
          <AlertDialog.Title className="text-[15px] font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description className="mt-2 text-dim">{text}</AlertDialog.Description>
          <div className="mt-5 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button look="danger" onClick={onConfirm}>
                {confirm}
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
