import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DiskWatch, roomAt } from './disk-watch.ts';
import { MemoryWatch, availableMemoryOn, growthOf, parseMeminfo } from './memory-watch.ts';

const GB = 1e9;
const missing = (): Error => Object.assign(new Error('no such folder'), { code: 'ENOENT' });

const disk = (free: Record<string, number>): DiskWatch =>
  new DiskWatch({
    folders: () => [
      { name: 'the clips folder', folder: '/clips/pitwall' },
      { name: 'the data folder', folder: '/data' },
    ],
    onChange: () => undefined,
    lookAt: async (folder) => {
      const bytes = free[folder];
      return bytes === undefined ? Promise.reject(missing()) : Promise.resolve({ free: bytes, writable: true });
    },
  });

describe('room on the disk', () => {
  it('is enough above two gigabytes and three clips', async () => {
    const watch = disk({ '/clips/pitwall': 3 * GB, '/data': 3 * GB });
    expect(watch.problem(60, 8000)).toBeNull();
    await watch.look();
    expect(watch.problem(60, 8000)).toBeNull();
    expect(watch.problem(60, null)).toBeNull();
    // two hours at 8 Mbit/s are 7.2 GB
    expect(watch.problem(7200, 8000)).toMatchObject({
      severity: 'error',
      message: 'Only 3.0 GB are free on the disk of the clips folder, room for no clip.',
    });
    expect(watch.problem(1200, 8000)?.severity).toBe('warning');
    expect(watch.problem(1200, 8000)?.message).toMatch(/room for 2 clips/);
  });

  it('is that of the folder above while the folder is not there yet', async () => {
    const watch = disk({ '/clips': 1.94 * GB, '/data': 9 * GB });
    await watch.look();
    expect(watch.problem(60, null)?.message).toBe('Only 1.9 GB are free on the disk of the clips folder.');
    expect(watch.problem(60, 8000)?.message).toBe(
      'Only 1.9 GB are free on the disk of the clips folder, room for 32 clips.',
    );
  });

  it('tells of the data folder too, and of next to nothing as an error', async () => {
    const watch = disk({ '/clips/pitwall': 9 * GB, '/data': 20e6 });
    await watch.look();
    expect(watch.problem(60, null)).toMatchObject({
      severity: 'error',
      message: 'Only 20 MB are free on the disk of the data folder.',
    });
  });

  it('is not known where the system does not say, and a drive that hangs is asked once', async () => {
    let asked = 0;
    let answer: (bytes: number) => void = () => undefined;
    const watch = new DiskWatch({
      folders: () => [{ name: 'the clips folder', folder: '/net/clips' }],
      onChange: () => undefined,
      lookAt: async () => {
        asked++;
        return new Promise((resolve) => {
          answer = (free) => resolve({ free, writable: true });
        });
      },
    });
    const first = watch.look();
    await watch.look();
    expect(asked).toBe(1);
    expect(watch.problem(60, null)).toBeNull();
    answer(5e6);
    await first;
    expect(watch.problem(60, null)?.severity).toBe('error');
    const silent = new DiskWatch({
      folders: () => [{ name: 'it', folder: '/x' }],
      onChange: () => undefined,
      lookAt: async () => Promise.reject(new Error('EIO')),
    });
    await silent.look();
    expect(silent.problem(60, null)).toBeNull();
    expect(silent.unwritable).toBeNull();
  });

  it('is what the system says of a real folder', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'pitwall-disk-'));
    onTestFinished(async () => rm(folder, { recursive: true }));
    expect((await roomAt(folder)).free).toBeGreaterThan(0);
    expect((await roomAt(folder)).writable).toBe(true);
  });

  it('of a folder that cannot be made is not known, which is said before a save meets it', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'pitwall-disk-'));
    onTestFinished(async () => rm(folder, { recursive: true }));
    const file = path.join(folder, 'taken');
    await writeFile(file, '');
    const watch = new DiskWatch({
      folders: () => [{ name: 'the clips folder', folder: path.join(file, 'clips') }],
      onChange: () => undefined,
    });
    expect(watch.unwritable).toBeNull();
    await watch.look();
    expect(watch.unwritable?.message).toBe('The clips folder cannot be written to.');
    expect(watch.problem(60, null)).toBeNull();
  });
});

describe('memory', () => {
  // proc(5), as Debian 12 (Linux 6.1) prints it
  const MEMINFO =
    'MemTotal:       24684024 kB\nMemFree:        21883456 kB\nMemAvailable:   23709128 kB\nBuffers:          124120 kB\n';

  it('is read from what Linux says, and from nothing else there', async () => {
    expect(parseMeminfo(MEMINFO)).toBe(23709128 * 1024);
    expect(parseMeminfo('MemFree: 1 kB\n')).toBeUndefined();
    expect(await availableMemoryOn('darwin')()).toBeUndefined();
    expect(await availableMemoryOn('win32')()).toBeGreaterThan(0);
  });

  it('is low when the buffer may grow by more than there is', async () => {
    const watch = new MemoryWatch(async () => Promise.resolve(600e6));
    expect(watch.problem(1e9)).toBeNull();
    await watch.look();
    expect(watch.problem(300e6)).toBeNull();
    expect(watch.problem(500e6)).toMatchObject({
      code: 'memory-low',
      message: 'Only 600 MB of memory are free, and the replay buffer will still take 500 MB.',
    });
    const broken = new MemoryWatch(async () => Promise.reject(new Error('no')));
    await broken.look();
    expect(broken.problem(1e12)).toBeNull();
  });

  it('the buffer grows to the nearer of its two bounds', () => {
    const replay = { bytesHeld: 100e6, capacityBytes: 512e6, capacitySeconds: 120 };
    expect(growthOf(replay, null)).toBe(412e6);
    expect(growthOf(replay, 8000)).toBe(20e6);
    expect(growthOf({ ...replay, bytesHeld: 200e6 }, 8000)).toBe(0);
  });
});
