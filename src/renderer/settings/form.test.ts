import { expect, test } from 'vitest';
import { DEFAULT_SETTINGS, SettingsPatch } from '../../contract/settings.ts';
import { EXPECTED, formOf, megabytesFor, readForm } from './form.ts';

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

test.each([
  ['replaySeconds', '4'],
  ['replaySeconds', '7201'],
  ['replaySeconds', ''],
  ['replaySeconds', 'two minutes'],
  ['replayMegabytes', '0'],
  ['replayMegabytes', '15'],
  ['replayMegabytes', '100.5'],
  ['fps', '59'],
  ['markHotkey', 'Hyper+Q'],
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
