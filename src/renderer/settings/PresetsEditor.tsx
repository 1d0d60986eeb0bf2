import { Plus, Trash2 } from 'lucide-react';
import { ClipFormat } from '../../contract/replay.ts';
import { MAX_PRESETS, SavePreset } from '../../contract/settings.ts';
import type { HotkeyStatus } from '../../contract/state.ts';
import { presetLabel } from '../replay/preset-words.ts';
import { Button } from '../ui/Button.tsx';
import { cx } from '../ui/cx.ts';
import { CONTROL } from './control.ts';
import { HotkeyField } from './HotkeyField.tsx';
import { newPreset, type PresetErrors, type PresetForm } from './preset-form.ts';

const KINDS = [
  ['seconds', 'The last'],
  ['all', 'Everything held'],
  ['since-last-save', 'What is new'],
] as const;

const FORMAT_WORDS: Record<ClipFormat, string> = {
  mp4: 'mp4',
  mkv: 'mkv',
  ts: 'ts, as it is',
  gif: 'gif, small',
  webm: 'webm, small',
};

const isPreview = (format: string): boolean => format === 'gif' || format === 'webm';

type Props = {
  presets: readonly PresetForm[];
  onChange: (presets: readonly PresetForm[]) => void;
  hotkeys: readonly HotkeyStatus[];
  errors: Readonly<Record<string, PresetErrors>>;
};

/** The Save buttons: what each one takes, with which key, and as what. */
export function PresetsEditor({ presets, onChange, hotkeys, errors }: Props) {
  return (
    <div className="grid gap-3">
      {presets.map((preset, index) => (
        <PresetRow
          key={preset.id}
          preset={preset}
          name={`Save button ${index + 1}`}
          onChange={(changed) => onChange(presets.map((one) => (one.id === preset.id ? changed : one)))}
          onRemove={presets.length > 1 ? () => onChange(presets.filter(({ id }) => id !== preset.id)) : undefined}
          status={hotkeys.find(({ id }) => id === preset.id)}
          errors={errors[preset.id] ?? {}}
        />
      ))}
      {presets.length < MAX_PRESETS && (
        <div>
          <Button onClick={() => onChange([...presets, newPreset(presets)])}>
            <Plus size={15} aria-hidden />
            Add a Save button
          </Button>
        </div>
      )}
    </div>
  );
}

type RowProps = {
  preset: PresetForm;
  name: string;
  onChange: (preset: PresetForm) => void;
  onRemove: (() => void) | undefined;
  status: HotkeyStatus | undefined;
  errors: PresetErrors;
};

function PresetRow({ preset, name, onChange, onRemove, status, errors }: RowProps) {
  const set = (changed: Partial<PresetForm>): void => onChange({ ...preset, ...changed });
  const shown = {
    kind: SavePreset.shape.kind.safeParse(preset.kind).data ?? 'seconds',
    format: ClipFormat.safeParse(preset.format).data ?? 'mp4',
    seconds: Number(preset.seconds.replace(',', '.')) || 0,
  };
  const id = (field: string): string => `${preset.id}-${field}`;
  return (
    <fieldset className="grid gap-2 rounded-lg border border-line p-3">
      <legend className="px-1 text-xs text-dim">{name}</legend>
      <div className="flex flex-wrap items-center gap-2">
        <select
          aria-label={`${name} saves`}
          className={cx(CONTROL, 'max-w-full')}
          value={preset.kind}
          onChange={(event) => set({ kind: event.target.value })}
        >
          {KINDS.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
        {preset.kind === 'seconds' && (
          <>
            <input
              aria-label={`${name}, seconds`}
              inputMode="decimal"
              autoComplete="off"
              className={cx(CONTROL, 'num w-20')}
              value={preset.seconds}
              aria-invalid={errors.seconds !== undefined}
              aria-describedby={id('seconds-note')}
              onChange={(event) => set({ seconds: event.target.value })}
            />
            <span className="text-[13px] text-dim">seconds</span>
          </>
        )}
        <select
          aria-label={`${name}, file`}
          className={CONTROL}
          value={preset.format}
          onChange={(event) => set({ format: event.target.value })}
        >
          {ClipFormat.options.map((format) => (
            <option key={format} value={format}>
              {FORMAT_WORDS[format]}
            </option>
          ))}
        </select>
        {onRemove && (
          <Button
            look="quiet"
            size="icon"
            aria-label={`Remove ${name.toLowerCase()}`}
            className="ml-auto"
            onClick={onRemove}
          >
            <Trash2 size={15} aria-hidden />
          </Button>
        )}
      </div>
      {errors.seconds !== undefined && (
        <p id={id('seconds-note')} className="text-xs text-bad">
          {errors.seconds}
        </p>
      )}
      {preset.kind === 'since-last-save' && (
        <p className="text-xs text-dim">Goes on where the last save ended, without a picture twice.</p>
      )}
      {isPreview(preset.format) && <p className="text-xs text-dim">A small preview of at most 15 s.</p>}
      <input
        aria-label={`${name}, name`}
        autoComplete="off"
        maxLength={40}
        placeholder={`Name: ${presetLabel(shown)}`}
        className={cx(CONTROL, 'w-full')}
        value={preset.label}
        onChange={(event) => set({ label: event.target.value })}
      />
      <HotkeyField
        name={name}
        noteId={id('hotkey-note')}
        value={preset.hotkey}
        onChange={(hotkey) => set({ hotkey })}
        status={status}
        error={errors.hotkey}
      />
      <label className="flex items-center gap-2 text-[13px] text-dim">
        <input type="checkbox" checked={preset.clear} onChange={(event) => set({ clear: event.target.checked })} />
        Drop what was saved from the replay afterwards
      </label>
    </fieldset>
  );
}
