import { SavePreset } from '../../contract/settings.ts';
import { refusalOf } from '../words/accelerator.ts';

/** A preset as the form holds it: the length as typed. */
export type PresetForm = {
  id: string;
  label: string;
  kind: string;
  seconds: string;
  hotkey: string;
  format: string;
  clear: boolean;
};
export type PresetErrors = { seconds?: string; hotkey?: string };

export const presetForm = (preset: SavePreset): PresetForm => ({
  ...preset,
  label: preset.label ?? '',
  seconds: preset.seconds === undefined ? '' : String(preset.seconds),
});

/** A preset of its own id for the Add button. */
export function newPreset(presets: readonly PresetForm[]): PresetForm {
  const taken = new Set(presets.map(({ id }) => id));
  let number = presets.length + 1;
  while (taken.has(`save-${number}`)) number++;
  return { id: `save-${number}`, label: '', kind: 'seconds', seconds: '15', hotkey: '', format: 'mp4', clear: false };
}

const EXPECTED_SECONDS = 'A number from 1 to 7200 seconds.';

/** `others` are the hotkeys that other things ask for; `present` is the preset in force, if there is one. */
export function readPreset(
  form: PresetForm,
  { others, present }: { others: readonly string[]; present: SavePreset | undefined },
): { ok: true; preset: SavePreset } | { ok: false; errors: PresetErrors } {
  const errors: PresetErrors = {};
  const { label, seconds: typed, ...rest } = form;
  const seconds = typed.trim() === '' ? Number.NaN : Number(typed.replace(',', '.'));
  if (form.kind === 'seconds' && !(seconds >= 1 && seconds <= 7200)) errors.seconds = EXPECTED_SECONDS;
  if (form.hotkey !== '' && others.includes(form.hotkey))
    errors.hotkey = 'This key is given to something else already.';
  else if (form.hotkey !== present?.hotkey) {
    const refusal = refusalOf(form.hotkey);
    if (refusal !== undefined) errors.hotkey = refusal;
  }
  const parsed = SavePreset.safeParse({
    ...rest,
    ...(label.trim() === '' ? {} : { label }),
    ...(form.kind === 'seconds' ? { seconds } : {}),
  });
  if (!parsed.success && errors.seconds === undefined) errors.hotkey ??= 'A key such as F9 or Control+Shift+R.';
  return parsed.success && Object.keys(errors).length === 0 ? { ok: true, preset: parsed.data } : { ok: false, errors };
}
