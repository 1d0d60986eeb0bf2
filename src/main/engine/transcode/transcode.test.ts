import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clipPreviewArgs, gopThumbnailArgs, liveTranscodeArgs } from './args.ts';
import { FileCache } from './file-cache.ts';
import { LruBytes } from './lru.ts';
import { SharedJobs } from './shared-jobs.ts';

describe('bytes in memory', () => {
  it('never are more than the bounds, and the newest that fits is there', () => {
    const bounds = { maxEntries: 4, maxBytes: 100 };
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 120 }))), (sets) => {
        const cache = new LruBytes(bounds);
        for (const [key, length] of sets) {
          cache.set(String(key), new Uint8Array(length));
          expect(cache.size).toBeLessThanOrEqual(bounds.maxEntries);
          expect(cache.bytes).toBeLessThanOrEqual(bounds.maxBytes);
          expect(cache.get(String(key))?.length).toBe(length <= bounds.maxBytes ? length : undefined);
        }
        const held = [0, 1, 2, 3, 4, 5, 6].map((key) => cache.get(String(key))?.length ?? 0);
        expect(held.reduce((sum, length) => sum + length, 0)).toBe(cache.bytes);
      }),
    );
  });

  it('leave in the order of their last use', () => {
    const cache = new LruBytes({ maxEntries: 2, maxBytes: 100 });
    cache.set('a', new Uint8Array(1));
    cache.set('b', new Uint8Array(1));
    cache.get('a');
    cache.set('c', new Uint8Array(1));
    expect(['a', 'b', 'c'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true]);
  });
});

describe('files kept', () => {
  async function folder(): Promise<string> {
    const made = await mkdtemp(path.join(os.tmpdir(), 'pitwall-cache-'));
    onTestFinished(async () => rm(made, { recursive: true, force: true }));
    return made;
  }
  const cacheIn = (at: string, bounds = { maxBytes: 100, maxFiles: 3 }): FileCache =>
    new FileCache({ folder: path.join(at, 'cache'), extension: '.mp4', ...bounds });
  const make =
    (bytes: number) =>
    async (file: string): Promise<void> =>
      writeFile(file, new Uint8Array(bytes));
  /** As if last used so many seconds ago. */
  const age = async (file: string, seconds: number): Promise<void> => {
    const then = Date.now() / 1000 - seconds;
    await utimes(file, then, then);
  };
  const names = async (at: string): Promise<string[]> => (await readdir(path.join(at, 'cache'))).sort();

  it('stay within the number, the least recently used going first', async () => {
    const at = await folder();
    const cache = cacheIn(at);
    for (const [index, key] of ['a', 'b', 'c'].entries()) await age(await cache.add(key, make(1)), 100 - index);
    expect(await cache.find('a')).toBe(path.join(at, 'cache', 'a.mp4'));
    await cache.add('d', make(1));
    expect(await names(at)).toEqual(['a.mp4', 'c.mp4', 'd.mp4']);
    expect(await cache.find('b')).toBeUndefined();
  });

  it('stay within the bytes, but the newest is kept whatever its size', async () => {
    const at = await folder();
    const cache = cacheIn(at);
    await age(await cache.add('a', make(60)), 20);
    await age(await cache.add('b', make(60)), 10);
    expect(await names(at)).toEqual(['b.mp4']);
    await cache.add('c', make(500));
    expect(await names(at)).toEqual(['c.mp4']);
  });

  it('are whole or not there, and what a killed studio left half-made goes; nothing else is touched', async () => {
    const at = await folder();
    await cacheIn(at).add('a', make(1));
    const strange = ['.pitwall-x.part', 'my holidays.mp4', 'notes.txt', '.hidden.mp4'];
    for (const name of strange) await writeFile(path.join(at, 'cache', name), '');
    const cache = cacheIn(at, { maxBytes: 100, maxFiles: 1 });
    const failing = cache.add('b', async (file) => {
      await writeFile(file, 'half');
      throw new Error('no more');
    });
    await expect(failing).rejects.toThrow('no more');
    expect(await names(at)).toEqual(['.hidden.mp4', 'a.mp4', 'my holidays.mp4', 'notes.txt']);
    await cache.add('c', make(1));
    expect(await names(at)).toEqual(['.hidden.mp4', 'c.mp4', 'my holidays.mp4', 'notes.txt']);
  });
});

describe('shared work', () => {
  const never = (): AbortSignal => new AbortController().signal;
  /** Work that ends when told, or when cancelled. */
  function work(): { run: (signal: AbortSignal) => Promise<string>; finish: (how: string) => void; log: string[] } {
    const log: string[] = [];
    let finish: (how: string) => void = () => undefined;
    const done = new Promise<string>((resolve) => (finish = resolve));
    return {
      log,
      finish: (how) => finish(how),
      run: async (signal) => {
        log.push('started');
        const cancelled = new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => {
            log.push('cancelled');
            reject(new Error('cancelled inside'));
          });
        });
        return Promise.race([done, cancelled]);
      },
    };
  }
  const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('is done once for all who ask meanwhile, and goes on while one of them waits', async () => {
    const jobs = new SharedJobs<string>(4);
    const only = work();
    const [one, two] = [new AbortController(), new AbortController()];
    const [first, second] = [one, two].map(async ({ signal }) => jobs.run('k', signal, only.run));
    await settled();
    one.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    expect(only.log).toEqual(['started']);
    only.finish('made');
    await expect(second).resolves.toBe('made');
    expect(jobs.size).toBe(0);
  });

  it('is cancelled when the last has gone; who asks after that gets work of its own', async () => {
    const jobs = new SharedJobs<string>(4);
    const [dropped, fresh] = [work(), work()];
    const one = new AbortController();
    const first = jobs.run('k', one.signal, dropped.run);
    await settled();
    one.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    expect(dropped.log).toEqual(['started', 'cancelled']);
    fresh.finish('made');
    await expect(jobs.run('k', never(), fresh.run)).resolves.toBe('made');
  });

  it('goes one at a time, in order, past failures; what was cancelled while waiting never starts', async () => {
    const jobs = new SharedJobs<string>(4);
    const [one, two, three] = [work(), work(), work()];
    const leaving = new AbortController();
    const first = jobs.run('1', never(), async (signal) => one.run(signal).then(() => Promise.reject(new Error('no'))));
    const second = jobs.run('2', leaving.signal, two.run);
    const third = jobs.run('3', never(), three.run);
    await settled();
    expect([one.log, two.log, three.log]).toEqual([['started'], [], []]);
    leaving.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    one.finish('');
    await expect(first).rejects.toThrow('no');
    three.finish('made');
    await expect(third).resolves.toBe('made');
    expect(two.log).toEqual([]);
  });

  it('is bounded, and ends when closed', async () => {
    const jobs = new SharedJobs<string>(2);
    const [one, two] = [work(), work()];
    const waiting = [jobs.run('1', never(), one.run), jobs.run('2', never(), two.run)].map(async (job) =>
      job.catch((error: unknown) => error),
    );
    await expect(jobs.run('3', never(), one.run)).rejects.toMatchObject({ code: 'conflict' });
    await settled();
    await jobs.close();
    expect(one.log).toEqual(['started', 'cancelled']);
    expect(two.log).toEqual([]);
    for (const job of waiting) expect(await job).toBeInstanceOf(Error);
    await expect(jobs.run('4', never(), one.run)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('arguments for ffmpeg', () => {
  it('keep hostile file names whole', () => {
    const args = clipPreviewArgs('/clips/-i; rm [x] $(y).mp4', '/cache/a.part', 12.3);
    expect(args[args.indexOf('-i') + 1]).toBe('/clips/-i; rm [x] $(y).mp4');
    expect(args.at(-1)).toBe('/cache/a.part');
    expect(args[args.indexOf('-timelimit') + 1]).toBe('13');
  });

  it('bound size, threads and delay', () => {
    const live = liveTranscodeArgs().join(' ');
    expect(live).toMatch(/-threads 2 -f mpegts -i pipe:0 .*-tune zerolatency .*-threads 2 .*-f mpegts pipe:1$/);
    expect(live).toContain("min(960,iw)':h='min(540,ih)'");
    expect(gopThumbnailArgs().join(' ')).toMatch(/-frames:v 1 .*scale=160:-2.*-f mjpeg pipe:1$/);
  });
});
