import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../contract/index.ts';
import { defaultDataFolder, lockDataFolder } from './data-folder.ts';
import { SettingsStore } from './store.ts';

const log = pino({ level: 'silent' });
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'pitwall-settings-'));
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

describe('settings', () => {
  const file = (): string => path.join(folder, 'settings.json');

  it('start with the defaults, keep what was set, and come back', async () => {
    const store = await SettingsStore.load(file(), log);
    expect(store.current).toEqual(DEFAULT_SETTINGS);
    expect(store.wasReset).toBe(false);
    await store.update({ fps: 60, markHotkey: undefined });
    expect((await SettingsStore.load(file(), log)).current).toEqual({ ...DEFAULT_SETTINGS, fps: 60 });
  });

  it('take defaults for what is new', async () => {
    await writeFile(file(), '{"version":2,"replaySeconds":300}');
    expect((await SettingsStore.load(file(), log)).current).toEqual({ ...DEFAULT_SETTINGS, replaySeconds: 300 });
    expect(await readdir(folder)).toEqual(['settings.json']);
  });

  it.each([
    ['{"version":1,"replaySeconds":300}', 60, 'F9', 'F7'],
    ['{"version":1,"replaySeconds":300,"saveSeconds":25,"saveHotkey":"Control+F10"}', 25, 'Control+F10', 'F7'],
    ['{"version":1,"replaySeconds":300,"saveHotkey":""}', 60, '', 'F7'],
    ['{"version":1,"replaySeconds":300,"saveHotkey":"F7"}', 60, 'F7', ''],
  ])('of version 1 are taken over, and the old file kept: %s', async (text, seconds, hotkey, markHotkey) => {
    await writeFile(file(), text);
    const store = await SettingsStore.load(file(), log);
    const [preset] = DEFAULT_SETTINGS.savePresets;
    const wanted = {
      ...DEFAULT_SETTINGS,
      replaySeconds: 300,
      markHotkey,
      savePresets: [{ ...preset, seconds, hotkey }],
    };
    expect(store.current).toEqual(wanted);
    expect(store.wasReset).toBe(false);
    expect(await readFile(`${file()}.v1.bak`, 'utf8')).toBe(text);
    expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual(wanted);
    // once: the backup is what the older program wrote, whatever comes later
    await writeFile(file(), '{"version":1}');
    await SettingsStore.load(file(), log);
    expect(await readFile(`${file()}.v1.bak`, 'utf8')).toBe(text);
  });

  it('that give one key to two things are refused', async () => {
    const store = await SettingsStore.load(file(), log);
    await expect(store.update({ markHotkey: 'F9' })).rejects.toMatchObject({ code: 'bad-request' });
    const [preset] = DEFAULT_SETTINGS.savePresets;
    if (!preset) throw new Error('no preset');
    await expect(store.update({ savePresets: [preset, preset] })).rejects.toMatchObject({ code: 'bad-request' });
    expect(store.current).toEqual(DEFAULT_SETTINGS);
    const two = [preset, { ...preset, id: 'second', hotkey: 'F10' }];
    expect((await store.update({ savePresets: two })).savePresets).toEqual(two);
  });

  it.each([
    '{broken',
    '{"version":1,"fps":31}',
    '{"version":1,"saveSeconds":0}',
    '{"version":2,"savePresets":[]}',
    '[]x',
    '{"version":1,"streamKey":"a|[f=mpegts]b"}',
  ])('that make no sense are set aside, not lost: %s', async (text) => {
    await writeFile(file(), text);
    const store = await SettingsStore.load(file(), log);
    expect(store.current).toEqual(DEFAULT_SETTINGS);
    expect(store.wasReset).toBe(true);
    expect(await readFile(`${file()}.bak`, 'utf8')).toBe(text);
  });

  it('that cannot be written leave the old ones in force', async () => {
    const store = await SettingsStore.load(path.join(folder, 'is-a-file', 'settings.json'), log);
    await writeFile(path.join(folder, 'is-a-file'), '');
    await expect(store.update({ fps: 60 })).rejects.toMatchObject({ code: 'folder-not-writable' });
    expect(store.current.fps).toBe(30);
  });
});

describe('the data folder', () => {
  it('is held by one process, which is named to the second', async () => {
    const unlock = await lockDataFolder(folder);
    const second: unknown = await lockDataFolder(folder).catch((error: unknown) => error);
    expect(second).toMatchObject({ code: 'data-folder-locked' });
    expect(String(second)).toContain(String(process.pid));
    unlock();
    (await lockDataFolder(folder))();
  });

  it.each(['{"pid":999999,"started":"1"}', `{"pid":${process.pid},"started":"1"}`, 'garbage', ''])(
    'is taken over from a process that is gone: %s',
    async (text) => {
      await writeFile(path.join(folder, 'lock'), text);
      (await lockDataFolder(folder))();
    },
  );

  it('that cannot be made is a sentence', async () => {
    await writeFile(path.join(folder, 'file'), '');
    await expect(lockDataFolder(path.join(folder, 'file', 'data'))).rejects.toMatchObject({
      code: 'folder-not-writable',
    });
  });

  it('follows each system', () => {
    expect(defaultDataFolder({ XDG_DATA_HOME: '/x' }, 'linux')).toBe('/x/pitwall');
    expect(defaultDataFolder({}, 'darwin')).toContain('Application Support');
    expect(defaultDataFolder({ LOCALAPPDATA: 'C:\\l' }, 'win32')).toContain('Pitwall');
  });
});
