import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clipBaseName, sanitizeTitle } from './names.ts';
import { publishFile } from './publish-file.ts';

describe('titles in file names', () => {
  it.each([
    ['Assetto Corsa', 'Assetto Corsa'],
    ['a/b\\c:d*e?f"g<h>i|j', 'a b c d e f g h i j'],
    ['../../etc/passwd', 'etc passwd'],
    ['  .hidden.  ', 'hidden'],
    ['CON', '_CON'],
    ['lpt1.txt', '_lpt1.txt'],
    ['', 'Clip'],
    ['\u0000\u202e', 'Clip'],
    ['Ünïcödé 雪', 'Ünïcödé 雪'],
  ])('%j becomes %j', (title, expected) => {
    expect(sanitizeTitle(title)).toBe(expected);
  });

  it('are one short path segment whatever the title', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (title) => {
        const name = sanitizeTitle(title);
        expect(name.length).toBeGreaterThan(0);
        expect(Array.from(name).length).toBeLessThanOrEqual(81);
        expect(path.basename(name)).toBe(name);
        expect(name).not.toMatch(/^\.|[. ]$|[/\\:*?"<>|]/);
      }),
    );
  });

  it('follow the local time of the clip', () => {
    const at = new Date(2026, 10, 20, 18, 3, 12).getTime() / 1000;
    expect(clipBaseName(at, 'Assetto Corsa')).toBe('2026-11-20 18.03.12 Assetto Corsa');
  });
});

describe('giving a clip its name', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pitwall-publish-'));
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it('never replaces a file, however many ask for the same name at once', async () => {
    await writeFile(path.join(folder, 'Clip.mp4'), 'the first');
    const names = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const temporary = path.join(folder, `.part-${i}`);
        await writeFile(temporary, `clip ${i}`);
        return { name: path.basename(await publishFile(temporary, 'Clip', 'mp4')), i };
      }),
    );
    expect(await readFile(path.join(folder, 'Clip.mp4'), 'utf8')).toBe('the first');
    expect(new Set(names.map(({ name }) => name))).toEqual(
      new Set([2, 3, 4, 5, 6, 7, 8, 9].map((n) => `Clip (${n}).mp4`)),
    );
    for (const { name, i } of names) expect(await readFile(path.join(folder, name), 'utf8')).toBe(`clip ${i}`);
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('keeps the temporary file when the folder is gone', async () => {
    const sub = path.join(folder, 'sub');
    await mkdir(sub);
    await expect(publishFile(path.join(sub, 'missing'), 'Clip', 'mp4')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
