import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

  it('of an older version take defaults for what is new', async () => {
    await writeFile(file(), '{"version":1,"replaySeconds":300}');
    expect((await SettingsStore.load(file(), log)).current).toEqual({ ...DEFAULT_SETTINGS, replaySeconds: 300 });
  });

  it.each(['{broken', '{"version":1,"fps":31}', '[]x', '{"version":1,"streamKey":"a|[f=mpegts]b"}'])(
    'that make no sense are set aside, not lost: %s',
    async (text) => {
      await writeFile(file(), text);
      const store = await SettingsStore.load(file(), log);
      expect(store.current).toEqual(DEFAULT_SETTINGS);
      expect(store.wasReset).toBe(true);
      expect(await readFile(`${file()}.bak`, 'utf8')).toBe(text);
    },
  );

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
