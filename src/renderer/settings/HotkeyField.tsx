import { useState } from 'react';
import type { HotkeyStatus } from '../../contract/state.ts';
import { Button } from '../ui/Button.tsx';
import { cx } from '../ui/cx.ts';
import { Keys } from '../ui/Keys.tsx';
import { acceleratorOf } from '../words/accelerator.ts';

type Props = {
  value: string;
  onChange: (accelerator: string) => void;
  status: HotkeyStatus;
  error: string | undefined;
};

/** Press-a-key recorder: Escape or Tab ends it without a change. */
export function HotkeyField({ value, onChange, status, error }: Props) {
  const [recording, setRecording] = useState(false);
  const trouble =
    error ??
    (status.state === 'unavailable' && status.accelerator === value
      ? `${status.error.message} ${status.error.remedy}`
      : undefined);
  return (
    <div>
      <div className="flex flex-wrap items-center gap-2">
        <Button
          aria-label={recording ? 'Press the new hotkey now' : `Hotkey ${value || 'off'}, change`}
          aria-describedby="hotkey-note"
          {...(recording ? { 'data-recording-hotkey': '' } : {})}
          className={cx('min-w-40', recording && 'border-accent')}
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
          <Button look="quiet" onClick={() => onChange('')}>
            Turn off
          </Button>
        )}
      </div>
      <p id="hotkey-note" className={cx('mt-1.5 text-xs', trouble === undefined ? 'text-dim' : 'text-warn')}>
        {trouble ?? 'Works while the game has the keyboard. Click, then press the key.'}
      </p>
    </div>
  );
}
