import { type ReactNode, useState } from 'react';
import { type ErrorInfo, toErrorInfo } from '../../contract/errors.ts';
import type { PushStatus } from '../../contract/push.ts';
import { CONTROL } from '../settings/control.ts';
import { setPushTarget } from '../store/actions.ts';
import { useConnected } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { cx } from '../ui/cx.ts';
import { Sentence } from '../ui/Sentence.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { pushForm, readPushForm, SERVICES } from './push-form.ts';

/** Adds a server, or changes the one given. The key goes one way only: it is never read back. */
export function PushEditor({ target, onDone }: { target: PushStatus | undefined; onDone: () => void }) {
  const [form, setForm] = useState(() => pushForm(target));
  // nothing is called wrong before the first attempt to save it
  const [tried, setTried] = useState(false);
  const [failure, setFailure] = useState<ErrorInfo | null>(null);
  const [saving, run] = useBusy();
  const connected = useConnected();
  const read = readPushForm(form, target);
  const errors = tried && !read.ok ? read.errors : {};
  const set = (changed: Partial<typeof form>): void => setForm((before) => ({ ...before, ...changed }));

  const save = (): void => {
    setTried(true);
    if (!read.ok) return;
    run(async () => {
      try {
        await setPushTarget(read.request);
        onDone();
      } catch (thrown) {
        setFailure(toErrorInfo(thrown));
      }
    });
  };

  return (
    <form
      noValidate
      aria-label={target ? `Edit ${target.name}` : 'Add a server'}
      className="grid grid-cols-[minmax(0,1fr)] gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <h3 className="text-[13px] font-semibold">{target ? `Edit ${target.name}` : 'Add a server'}</h3>
      {!target && (
        <div className="flex flex-wrap items-center gap-2">
          <span className="text-[13px] text-dim">Fill in for</span>
          {SERVICES.map((service) => (
            <Button key={service.name} size="small" onClick={() => set(service)}>
              {service.name}
            </Button>
          ))}
        </div>
      )}
      <Field id="push-name" label="Name" error={errors.name}>
        <input
          id="push-name"
          autoFocus
          autoComplete="off"
          maxLength={60}
          className={cx(CONTROL, 'w-full')}
          value={form.name}
          aria-invalid={errors.name !== undefined}
          aria-describedby="push-name-note"
          onChange={(event) => set({ name: event.target.value })}
        />
      </Field>
      <Field
        id="push-url"
        label="Address"
        note="As the service gives it, without the key: rtmp://, rtmps:// (encrypted) or srt://."
        error={errors.url}
      >
        <input
          id="push-url"
          autoComplete="off"
          spellCheck={false}
          placeholder="rtmp://server/live"
          className={cx(CONTROL, 'w-full font-mono text-[13px]')}
          value={form.url}
          aria-invalid={errors.url !== undefined}
          aria-describedby="push-url-note"
          onChange={(event) => set({ url: event.target.value })}
        />
      </Field>
      <Field
        id="push-key"
        label="Stream key"
        note={
          target?.hasKey
            ? 'A key is kept. Leave this empty to keep it.'
            : 'From your account there. It is kept by the studio, never shown again and never logged.'
        }
      >
        <input
          id="push-key"
          type="password"
          autoComplete="new-password"
          spellCheck={false}
          maxLength={512}
          placeholder={target?.hasKey ? '••••••••' : ''}
          className={cx(CONTROL, 'w-full')}
          value={form.key}
          aria-describedby="push-key-note"
          onChange={(event) => set({ key: event.target.value })}
        />
        {target?.hasKey && (
          <label className="mt-2 flex items-center gap-2 text-[13px] text-dim">
            <input
              type="checkbox"
              className="size-4 accent-accent"
              checked={form.forget}
              disabled={form.key.trim() !== ''}
              onChange={(event) => set({ forget: event.target.checked })}
            />
            Forget the key that is kept
          </label>
        )}
      </Field>
      {failure && (
        <div role="alert">
          <Sentence severity="error" message={failure.message} remedy={failure.remedy} />
        </div>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" look="primary" disabled={!connected || saving}>
          {target ? 'Save' : 'Add'}
        </Button>
      </div>
    </form>
  );
}

type FieldProps = { id: string; label: string; note?: string; error?: string | undefined; children: ReactNode };

function Field({ id, label, note, error, children }: FieldProps) {
  return (
    <div className="grid items-start gap-x-4 gap-y-1 sm:grid-cols-[120px_1fr]">
      <label htmlFor={id} className="text-[13px] leading-9">
        {label}
      </label>
      <div className="min-w-0">
        {children}
        <p
          id={`${id}-note`}
          className={cx('mt-1.5 text-xs empty:hidden', error === undefined ? 'text-dim' : 'text-bad')}
        >
          {error ?? note}
        </p>
      </div>
    </div>
  );
}
