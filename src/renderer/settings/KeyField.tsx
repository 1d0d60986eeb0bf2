import { Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../ui/Button.tsx';
import { cx } from '../ui/cx.ts';
import { CONTROL } from './control.ts';
import type { Field, FormErrors, SettingsForm } from './form.ts';

type Props = {
  id: 'playKey' | 'publishKey';
  /** names it for those who do not see the field */
  what: string;
  form: SettingsForm;
  errors: FormErrors;
  set: (field: Field) => (value: string) => void;
};

/** A secret that is shown on demand only: settings may be open while the screen is streamed. */
export function KeyField({ id, what, form, errors, set }: Props) {
  const [shown, setShown] = useState(false);
  return (
    <div className="flex items-center gap-2">
      <input
        id={id}
        type={shown ? 'text' : 'password'}
        autoComplete="new-password"
        spellCheck={false}
        maxLength={64}
        placeholder="none"
        className={cx(CONTROL, 'w-full min-w-0')}
        value={form[id]}
        aria-invalid={errors[id] !== undefined}
        aria-describedby={`${id}-note`}
        onChange={(event) => set(id)(event.target.value)}
      />
      <Button
        look="quiet"
        size="icon"
        aria-label={shown ? `Hide ${what}` : `Show ${what}`}
        aria-pressed={shown}
        onClick={() => setShown(!shown)}
      >
        {shown ? <EyeOff size={16} aria-hidden /> : <Eye size={16} aria-hidden />}
      </Button>
    </div>
  );
}
