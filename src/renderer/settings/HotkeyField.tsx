import { useState } from 'react';
import type { HotkeyStatus } from '../../contract/state.ts';
import { Button } from '../ui/Button.tsx';
import { cx } from '../ui/cx.ts';
import { Keys } from '../ui/Keys.tsx';
import { acceleratorOf } from '../words/accelerator.ts';

type Props = {
  /** what the key does */
  name: string;
  /** of the note under it */
  noteId: string;
  value: string;
  onChange: (accelerator: string) => void;
  /** what became of the key in force; undefined for one not asked for yet */
  status: HotkeyStatus | undefined;
  note?: string;
  error: string | undefined;
};

/** Press-a-key recorder: Escape or Tab ends it without a change. */
export function HotkeyField({ name, noteId, value, onChange, status, note, error }: Props) {
  const [recording, setRecording] = useState(false);
  const trouble =
    error ??
    (status?.state === 'unavailable' && status.accelerator === value
      ? `${status.error.message} ${status.error.remedy}`
      : undefined);
  return (
    <div>
      <div className="flex flex-wrap items-center gap-2">
        <Button
          aria-label={recording ? `${name}: press the new hotkey now` : `${name}: hotkey ${value || 'off'}, change`}
          aria-describedby={noteId}
          {...(recording ? { 'data-recording-hotkey': '' } : {})}
          className={cx('min-w-32', recording && 'border-accent')}
          onClick={() => setRecording(true)}
          onBlur={() => setRecording(false)}
          onKeyDown={(event) => {
            if (!recording || event.key === 'Tab') return;
            event.preventDefault();
            event.stopPropagation();
            if (event.key === 'Escape') {
              setRecording(false);
              return;
            }
            const accelerator = acceleratorOf(event);
            if (!accelerator) return;
            onChange(accelerator);
            setRecording(false);
          }}
        >
          {recording ? <span className="text-accent">Press a key…</span> : value ? <Keys accelerator={value} /> : 'Off'}
        </Button>
        {value !== '' && (
          <Button look="quiet" aria-label={`${name}: turn the hotkey off`} onClick={() => onChange('')}>
            Turn off
          </Button>
        )}
      </div>
      <p id={noteId} className={cx('mt-1.5 text-xs empty:hidden', trouble === undefined ? 'text-dim' : 'text-warn')}>
        {trouble ?? note}
      </p>
    </div>
  );
}
