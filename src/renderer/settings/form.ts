import { Settings, type SettingsPatch } from '../../contract/settings.ts';
import { refusalOf } from '../words/accelerator.ts';

/** The settings as the form holds them: numbers as typed. */
export type SettingsForm = {
  fps: string;
  pictureSize: string;
  replaySeconds: string;
  replayMegabytes: string;
  saveSeconds: string;
  saveHotkey: string;
};
export type Field = keyof SettingsForm;

export const formOf = (settings: Settings): SettingsForm => ({
  fps: String(settings.fps),
  pictureSize: settings.pictureSize,
  replaySeconds: String(settings.replaySeconds),
  replayMegabytes: String(settings.replayMegabytes),
  saveSeconds: String(settings.saveSeconds),
  saveHotkey: settings.saveHotkey,
});

export type ReadForm =
  | { readonly ok: true; readonly patch: SettingsPatch }
  | { readonly ok: false; readonly errors: Partial<Record<Field, string>> };

const { shape } = Settings;
const range = (schema: { minValue: number | null; maxValue: number | null }, unit: string): string =>
  `A number from ${schema.minValue ?? 0} to ${schema.maxValue ?? 0} ${unit}.`;
/** What each field takes, in words; the bounds are the contract's. */
export const EXPECTED: Record<Field, string> = {
  fps: '30 or 60.',
  pictureSize: 'One of the sizes offered.',
  replaySeconds: range(shape.replaySeconds, 'seconds'),
  replayMegabytes: range(shape.replayMegabytes, 'MB, without a fraction'),
  saveSeconds: range(shape.saveSeconds, 'seconds'),
  saveHotkey: 'A key such as F9 or Control+Shift+R.',
};

const asNumber = (typed: string): number => (typed.trim() === '' ? Number.NaN : Number(typed.replace(',', '.')));

/** Checks the form against the contract and answers with what differs from the present settings only. */
export function readForm(form: SettingsForm, present: Settings): ReadForm {
  const errors: Partial<Record<Field, string>> = {};
  const patch: SettingsPatch = {};

  const fps = shape.fps.safeParse(asNumber(form.fps));
  if (!fps.success) errors.fps = EXPECTED.fps;
  else if (fps.data !== present.fps) patch.fps = fps.data;

  const pictureSize = shape.pictureSize.safeParse(form.pictureSize);
  if (!pictureSize.success) errors.pictureSize = EXPECTED.pictureSize;
  else if (pictureSize.data !== present.pictureSize) patch.pictureSize = pictureSize.data;

  for (const field of ['replaySeconds', 'replayMegabytes', 'saveSeconds'] as const) {
    const number = shape[field].safeParse(asNumber(form[field]));
    if (!number.success) errors[field] = EXPECTED[field];
    else if (number.data !== present[field]) patch[field] = number.data;
  }

  const hotkey = shape.saveHotkey.safeParse(form.saveHotkey);
  const refusal = refusalOf(form.saveHotkey);
  if (!hotkey.success) errors.saveHotkey = EXPECTED.saveHotkey;
  else if (hotkey.data !== present.saveHotkey) {
    if (refusal) errors.saveHotkey = refusal;
    else patch.saveHotkey = hotkey.data;
  }

  return Object.keys(errors).length > 0 ? { ok: false, errors } : { ok: true, patch };
}

/** Memory a replay of that length takes at the bitrate now measured, MiB. */
export const megabytesFor = (seconds: number, bitrateKbps: number): number =>
  Math.ceil((seconds * bitrateKbps * 1000) / 8 / 1024 / 1024);
