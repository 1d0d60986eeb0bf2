import { expect, test } from 'vitest';
import { DEFAULT_SETTINGS, SettingsPatch } from '../../contract/settings.ts';
import { EXPECTED, formOf, megabytesFor, readForm } from './form.ts';
import { newPreset, type PresetForm } from './preset-form.ts';

const form = formOf(DEFAULT_SETTINGS);
const read = (over: Partial<typeof form>) => readForm({ ...form, ...over }, DEFAULT_SETTINGS);

test('nothing touched, nothing asked', () => {
  expect(read({})).toEqual({ ok: true, patch: {} });
});

test('only what differs is asked, and the contract takes it', () => {
  const answer = read({ fps: '60', replaySeconds: '300', markHotkey: 'Control+F10' });
  expect(answer).toEqual({
    ok: true,
    patch: { fps: 60, replaySeconds: 300, markHotkey: 'Control+F10' },
  });
  if (answer.ok) expect(SettingsPatch.safeParse(answer.patch).success).toBe(true);
});

test('how the picture is encoded', () => {
  expect(read({ codec: 'hevc', encoder: 'hevc_nvenc', quality: 'quality', bitrateKbps: ' 6000 ', fps: '120' })).toEqual(
    {
      ok: true,
      patch: { fps: 120, codec: 'hevc', encoder: 'hevc_nvenc', quality: 'quality', bitrateKbps: 6000 },
    },
  );
  const given = { ...DEFAULT_SETTINGS, bitrateKbps: 6000 };
  expect(readForm({ ...formOf(given), bitrateKbps: '', raisePriority: false }, given)).toEqual({
    ok: true,
    patch: { bitrateKbps: null, raisePriority: false },
  });
});

test.each([
  ['replaySeconds', '4'],
  ['replaySeconds', '7201'],
  ['replaySeconds', ''],
  ['replaySeconds', 'two minutes'],
  ['replayMegabytes', '0'],
  ['replayMegabytes', '15'],
  ['replayMegabytes', '100.5'],
  ['fps', '59'],
  ['bitrateKbps', '299'],
  ['bitrateKbps', '6000.5'],
  ['bitrateKbps', 'fast'],
  ['encoder', 'h264_omx'],
  ['markHotkey', 'Hyper+Q'],
  ['streamKey', ''],
  ['streamKey', 'a b'],
  ['publishKey', 'a/b'],
  ['playKey', 'é'],
] as const)('%s "%s" is refused with what is expected', (field, typed) => {
  expect(read({ [field]: typed })).toEqual({ ok: false, errors: { [field]: EXPECTED[field] } });
});

test('the bounds told are the contract’s', () => {
  expect(EXPECTED.replaySeconds).toContain('from 5 to 7200');
  expect(EXPECTED.replayMegabytes).toContain('from 16 to 65536');
});

test('a hotkey that would swallow a typed letter is refused; switching it off is not', () => {
  const answer = read({ markHotkey: 'R' });
  expect(answer.ok ? '' : answer.errors.markHotkey).toContain('every other program');
  expect(read({ markHotkey: '' })).toEqual({ ok: true, patch: { markHotkey: '' } });
});

test('memory for a replay at a bitrate', () => {
  expect(megabytesFor(120, 11_800)).toBe(169);
});

const F9 = DEFAULT_SETTINGS.savePresets;
const presetsOf = (over: readonly Partial<PresetForm>[]) => {
  const added = over.slice(1).reduce<readonly PresetForm[]>((all) => [...all, newPreset(all)], form.savePresets);
  return { savePresets: added.map((preset, i) => ({ ...preset, ...over[i] })) };
};

test('presets are added, changed and read as the contract takes them', () => {
  const answer = read(
    presetsOf([{}, { kind: 'since-last-save', hotkey: 'F10', clear: true }, { seconds: '7,5', label: ' x ' }]),
  );
  expect(answer).toEqual({
    ok: true,
    patch: {
      savePresets: [
        ...F9,
        { id: 'save-2', kind: 'since-last-save', hotkey: 'F10', format: 'mp4', clear: true },
        { id: 'save-3', label: 'x', kind: 'seconds', seconds: 7.5, hotkey: '', format: 'mp4', clear: false },
      ],
    },
  });
  if (answer.ok) expect(SettingsPatch.safeParse(answer.patch).success).toBe(true);
});

test.each([
  [{ seconds: '0' }, 'seconds'],
  [{ seconds: 'all' }, 'seconds'],
  [{ hotkey: 'F9' }, 'hotkey'],
  [{ hotkey: 'F7' }, 'hotkey'],
  [{ hotkey: 'R' }, 'hotkey'],
  [{ hotkey: 'Hyper+Q' }, 'hotkey'],
] as const)('a second preset with %j is refused at its %s', (over, field) => {
  const answer = read(presetsOf([{}, over]));
  expect(answer.ok ? undefined : Object.keys(answer.errors.presets?.['save-2'] ?? {})).toEqual([field]);
});

test('two presets may swap their keys, and a new one never gets an id that is taken', () => {
  const two = [...F9, { id: 'save-2', kind: 'all', hotkey: 'F10', format: 'mp4', clear: false } as const];
  const present = { ...DEFAULT_SETTINGS, savePresets: two };
  const swapped = formOf(present).savePresets.map((preset, i) => ({ ...preset, hotkey: two[1 - i]?.hotkey ?? '' }));
  expect(readForm({ ...formOf(present), savePresets: swapped }, present).ok).toBe(true);
  const [, last] = formOf(present).savePresets;
  expect(last && newPreset([last]).id).not.toBe('save-2');
});

test('the second folder is a whole path, and empty means the usual one', () => {
  expect(read({ fallbackClipsFolder: ' /mnt/clips ' })).toEqual({
    ok: true,
    patch: { fallbackClipsFolder: '/mnt/clips' },
  });
  expect(read({ fallbackClipsFolder: 'clips' }).ok).toBe(false);
  const present = { ...DEFAULT_SETTINGS, fallbackClipsFolder: '/mnt/clips' };
  expect(readForm(form, present)).toEqual({ ok: true, patch: { fallbackClipsFolder: null } });
});

test('the keys of the live address are read without spaces around them, and may be none', () => {
  expect(read({ streamKey: ' race ', playKey: 'watch-1 ' })).toEqual({
    ok: true,
    patch: { streamKey: 'race', playKey: 'watch-1' },
  });
  expect(read({ playKey: '  ' })).toEqual({ ok: true, patch: {} });
});
