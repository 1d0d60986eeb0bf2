import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SecretBox } from '../host.ts';
import { SecretStore } from './secrets.ts';

const log = pino({ level: 'silent' });
let folder = '';
const file = (): string => path.join(folder, 'secrets.json');
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'pitwall-secrets-'));
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

/** Seals by turning the text round; `key` must be the same to open. */
const box = (key: string, available = true): SecretBox => ({
  available: async () => Promise.resolve(available),
  seal: async (text) => Promise.resolve(Buffer.from(`${key}:${text}`).reverse()),
  open: async (sealed) => {
    const text = Buffer.from(sealed).reverse().toString();
    if (!text.startsWith(`${key}:`)) throw new Error(`cannot open ${text}`);
    return Promise.resolve(text.slice(key.length + 1));
  },
});

describe('kept secrets', () => {
  it('come back, from a file that only this user reads, sealed where the system can', async () => {
    for (const found of [undefined, box('me'), box('me', false)]) {
      const store = await SecretStore.load(file(), found, log);
      await store.set('a', 'the-key');
      await store.set('b', 'other');
      expect((await stat(file())).mode & 0o777).toBe(0o600);
      const text = await readFile(file(), 'utf8');
      expect(text.includes('the-key')).toBe((await found?.available()) !== true);
      const again = await SecretStore.load(file(), found, log);
      expect([again.get('a'), again.get('b'), again.get('c')]).toEqual(['the-key', 'other', undefined]);
      await again.set('a', '');
      expect(again.get('a')).toBeUndefined();
      expect((await SecretStore.load(file(), found, log)).get('a')).toBeUndefined();
      await again.set('b', '');
    }
  });

  it('sealed by another system are absent, not lost, and can be entered anew', async () => {
    await (await SecretStore.load(file(), box('me'), log)).set('a', 'the-key');
    for (const found of [undefined, box('you')]) {
      const store = await SecretStore.load(file(), found, log);
      expect(store.get('a')).toBeUndefined();
      await store.set('b', 'x');
    }
    expect((await SecretStore.load(file(), box('me'), log)).get('a')).toBe('the-key');
  });

  it('in a broken file are told without their text, and a folder that cannot be written to is an error', async () => {
    const lines: string[] = [];
    const loud = pino({}, { write: (line) => void lines.push(line) });
    await writeFile(file(), '{"version":1,"secrets":{"a":{"plain":"the-key"}}');
    const store = await SecretStore.load(file(), undefined, loud);
    expect(store.get('a')).toBeUndefined();
    expect(lines).toHaveLength(1);
    expect(lines.join('')).not.toContain('the-key');
    const nowhere = await SecretStore.load(path.join(file(), 'x.json'), undefined, log);
    await expect(nowhere.set('a', 'b')).rejects.toMatchObject({ code: 'folder-not-writable' });
    expect(nowhere.get('a')).toBeUndefined();
  });
});
