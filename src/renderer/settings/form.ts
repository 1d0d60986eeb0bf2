import type { AudioPick } from '../../contract/audio.ts';
import { Settings, type SettingsPatch } from '../../contract/settings.ts';
import { refusalOf } from '../words/accelerator.ts';
import { presetForm, type PresetErrors, type PresetForm, readPreset } from './preset-form.ts';

/** What is heard, as the form holds it. */
export type AudioForm = { desktop: AudioPick; microphone: AudioPick; offsetMs: string };

/** The settings as the form holds them: numbers as typed. */
export type SettingsForm = {
  fps: string;
  pictureSize: string;
  codec: string;
  encoder: string;
  quality: string;
  /** empty: the quality decides */
  bitrateKbps: string;
  raisePriority: boolean;
  replaySeconds: string;
  replayMegabytes: string;
  markHotkey: string;
  /** empty: the folder used when nothing else is set */
  fallbackClipsFolder: string;
  mirror: boolean;
  streamKey: string;
  /** empty: none is demanded */
  publishKey: string;
  playKey: string;
  audio: AudioForm;
  savePresets: readonly PresetForm[];
};
export type Field = Exclude<keyof SettingsForm, 'savePresets' | 'mirror' | 'raisePriority' | 'audio'>;

export const formOf = (settings: Settings): SettingsForm => ({
  fps: String(settings.fps),
  pictureSize: settings.pictureSize,
  codec: settings.codec,
  encoder: settings.encoder,
  quality: settings.quality,
  bitrateKbps: settings.bitrateKbps === null ? '' : String(settings.bitrateKbps),
  raisePriority: settings.raisePriority,
  replaySeconds: String(settings.replaySeconds),
  replayMegabytes: String(settings.replayMegabytes),
  markHotkey: settings.markHotkey,
  fallbackClipsFolder: settings.fallbackClipsFolder ?? '',
  mirror: settings.mirror,
  streamKey: settings.streamKey,
  publishKey: settings.publishKey,
  playKey: settings.playKey,
  audio: { ...settings.audio, offsetMs: String(settings.audio.offsetMs) },
  savePresets: settings.savePresets.map(presetForm),
});

export type FormErrors = Partial<Record<Field | 'offsetMs', string>> & {
  presets?: Readonly<Record<string, PresetErrors>>;
};
export type ReadForm =
  { readonly ok: true; readonly patch: SettingsPatch } | { readonly ok: false; readonly errors: FormErrors };

const { shape } = Settings;
const range = (schema: { minValue: number | null; maxValue: number | null }, unit: string): string =>
  `A number from ${schema.minValue ?? 0} to ${schema.maxValue ?? 0} ${unit}.`;
/** What each field takes, in words; the bounds are the contract's. */
export const EXPECTED: Record<Field | 'offsetMs', string> = {
  offsetMs: range(shape.audio.shape.offsetMs, 'ms, without a fraction').replace('-', '\u2212'),
  fps: '30, 60 or 120.',
  pictureSize: 'One of the sizes offered.',
  codec: 'One of the codecs offered.',
  encoder: 'One of the encoders offered.',
  quality: 'One of the qualities offered.',
  bitrateKbps: 'A whole number from 300 to 200000 kbit/s, or empty.',
  replaySeconds: range(shape.replaySeconds, 'seconds'),
  replayMegabytes: range(shape.replayMegabytes, 'MB, without a fraction'),
  markHotkey: 'A key such as F9 or Control+Shift+R.',
  streamKey: 'Letters, digits, _ and -, 1 to 64 of them.',
  publishKey: 'Letters, digits, _ and -, at most 64; empty for none.',
  playKey: 'Letters, digits, _ and -, at most 64; empty for none.',
  fallbackClipsFolder: 'A whole path, such as D:\\Clips or the one shown above.',
};

const asNumber = (typed: string): number => (typed.trim() === '' ? Number.NaN : Number(typed.replace(',', '.')));
const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Checks the form against the contract and answers with what differs from the present settings only. */
export function readForm(form: SettingsForm, present: Settings): ReadForm {
  const errors: FormErrors = {};
  const patch: SettingsPatch = {};

  const fps = shape.fps.safeParse(asNumber(form.fps));
  if (!fps.success) errors.fps = EXPECTED.fps;
  else if (fps.data !== present.fps) patch.fps = fps.data;

  const pictureSize = shape.pictureSize.safeParse(form.pictureSize);
  if (!pictureSize.success) errors.pictureSize = EXPECTED.pictureSize;
  else if (pictureSize.data !== present.pictureSize) patch.pictureSize = pictureSize.data;

  readEncoding(form, present, errors, patch);

  for (const field of ['replaySeconds', 'replayMegabytes'] as const) {
    const number = shape[field].safeParse(asNumber(form[field]));
    if (!number.success) errors[field] = EXPECTED[field];
    else if (number.data !== present[field]) patch[field] = number.data;
  }

  for (const field of ['streamKey', 'publishKey', 'playKey'] as const) {
    const key = shape[field].safeParse(form[field].trim());
    if (!key.success) errors[field] = EXPECTED[field];
    else if (key.data !== present[field]) patch[field] = key.data;
  }

  const audio = shape.audio.safeParse({
    ...form.audio,
    offsetMs: asNumber(form.audio.offsetMs.replace('\u2212', '-')),
  });
  if (!audio.success) errors.offsetMs = EXPECTED.offsetMs;
  else if (!sameJson(audio.data, present.audio)) patch.audio = audio.data;

  if (form.mirror !== present.mirror) patch.mirror = form.mirror;
  if (form.raisePriority !== present.raisePriority) patch.raisePriority = form.raisePriority;

  readMarkHotkey(form, present, errors, patch);
  readPresets(form, present, errors, patch);

  const typed = form.fallbackClipsFolder.trim();
  if (typed !== (present.fallbackClipsFolder ?? '')) {
    const folder = shape.fallbackClipsFolder.safeParse(typed === '' ? null : typed);
    if (folder.success) patch.fallbackClipsFolder = folder.data;
    else errors.fallbackClipsFolder = EXPECTED.fallbackClipsFolder;
  }

  return Object.keys(errors).length > 0 ? { ok: false, errors } : { ok: true, patch };
}

function readEncoding(form: SettingsForm, present: Settings, errors: FormErrors, patch: SettingsPatch): void {
  const codec = shape.codec.safeParse(form.codec);
  if (!codec.success) errors.codec = EXPECTED.codec;
  else if (codec.data !== present.codec) patch.codec = codec.data;

  const encoder = shape.encoder.safeParse(form.encoder);
  if (!encoder.success) errors.encoder = EXPECTED.encoder;
  else if (encoder.data !== present.encoder) patch.encoder = encoder.data;

  const quality = shape.quality.safeParse(form.quality);
  if (!quality.success) errors.quality = EXPECTED.quality;
  else if (quality.data !== present.quality) patch.quality = quality.data;

  const bitrate = shape.bitrateKbps.safeParse(form.bitrateKbps.trim() === '' ? null : asNumber(form.bitrateKbps));
  if (!bitrate.success) errors.bitrateKbps = EXPECTED.bitrateKbps;
  else if (bitrate.data !== present.bitrateKbps) patch.bitrateKbps = bitrate.data;
}

function readMarkHotkey(form: SettingsForm, present: Settings, errors: FormErrors, patch: SettingsPatch): void {
  const hotkey = shape.markHotkey.safeParse(form.markHotkey);
  const refusal = refusalOf(form.markHotkey);
  if (!hotkey.success) errors.markHotkey = EXPECTED.markHotkey;
  else if (hotkey.data !== present.markHotkey) {
    if (refusal) errors.markHotkey = refusal;
    else patch.markHotkey = hotkey.data;
  }
}

/** Of two things with the same key the later one is told; the mark's key counts as the first. */
function readPresets(form: SettingsForm, present: Settings, errors: FormErrors, patch: SettingsPatch): void {
  const taken = [form.markHotkey];
  const found: Record<string, PresetErrors> = {};
  const presets = form.savePresets.flatMap((preset) => {
    const inForce = present.savePresets.find(({ id }) => id === preset.id);
    const read = readPreset(preset, { others: taken, present: inForce });
    taken.push(preset.hotkey);
    if (read.ok) return [read.preset];
    found[preset.id] = read.errors;
    return [];
  });
  if (Object.keys(found).length > 0) errors.presets = found;
  // compared as the form holds them: the order of keys does not matter
  else if (!sameJson(form.savePresets, present.savePresets.map(presetForm))) patch.savePresets = presets;
}

/** Memory a replay of that length takes at the bitrate now measured, MiB. */
export const megabytesFor = (seconds: number, bitrateKbps: number): number =>
  Math.ceil((seconds * bitrateKbps * 1000) / 8 / 1024 / 1024);
