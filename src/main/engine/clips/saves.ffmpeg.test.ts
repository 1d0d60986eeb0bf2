import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Notice } from '../../../contract/index.ts';
import { FfmpegTools } from '../ffmpeg/tools.ts';
import { ReplayRing } from '../replay/ring.ts';
import { ClipLibrary } from './library.ts';
import { Saves } from './saves.ts';
import { FPS, encodeStream, pictures, quiet } from './testing/media.ts';

const SECONDS = 12;
let stream: Buffer;
let source: string[] = [];
let folder = '';

beforeAll(async () => {
  stream = await encodeStream('capture', SECONDS);
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'pitwall-saves-stream-'));
  await writeFile(path.join(scratch, 'all.ts'), stream);
  source = await pictures(path.join(scratch, 'all.ts'));
  await rm(scratch, { recursive: true });
}, 60_000);
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'pitwall-saves-'));
});
afterEach(async () => rm(folder, { recursive: true }));

type World = {
  ring: ReplayRing;
  saves: Saves;
  notices: Notice[];
  write: (upTo: number) => void;
  clock: { now: number };
};

function world(folders = [folder]): World {
  const clock = { now: 1000 };
  const ring = new ReplayRing({ maxBytes: 64 * 1024 * 1024, maxSeconds: 3600, now: () => clock.now });
  ring.beginEpoch({ sourceName: 'Test' });
  const notices: Notice[] = [];
  const library = new ClipLibrary({
    index: path.join(folder, 'index', 'clips.json'),
    folders: () => folders,
    log: quiet,
    moveToTrash: async () => Promise.reject(new Error('not in this test')),
    onChange: () => undefined,
  });
  const saves = new Saves({
    ring,
    tools: new FfmpegTools(process.env, quiet, () => undefined),
    library,
    folders: () => folders,
    marks: () => [],
    log: quiet,
    defaultSeconds: () => 3,
    now: () => clock.now,
    notify: (notice) => void notices.push(notice),
    onChange: () => undefined,
  });
  let written = 0;
  return {
    ...{ ring, saves, notices, clock },
    /** Feeds the stream up to about `upTo` seconds of it, cut anywhere. */
    write: (upTo) => {
      const to = Math.min(stream.length, Math.floor((stream.length * upTo) / SECONDS));
      ring.write(stream.subarray(written, to));
      clock.now = 1000 + upTo;
      written = to;
    },
  };
}

const pathOf = ({ clips }: Awaited<ReturnType<Saves['save']>>, index = 0): string => clips[index]?.path ?? '';

describe('since the last save', () => {
  it('goes on with the picture after the last one saved: nothing twice, nothing missing', async () => {
    const { saves, write } = world();
    const shown: string[] = [];
    write(2.4);
    // the first one: everything held
    const first = await saves.save({ sinceLastSave: true });
    shown.push(...(await pictures(pathOf(first))));
    let end = first.clips[0]?.to;
    for (const upTo of [3.1, 3.25, 5.9, 8.02]) {
      write(upTo);
      const answer = await saves.save({ sinceLastSave: true });
      expect(answer.reason).toBeUndefined();
      expect(answer.clips[0]?.from).toBeCloseTo(end ?? 0, 2);
      end = answer.clips[0]?.to;
      expect(answer.seconds).toBeCloseTo(answer.askedSeconds, 1);
      shown.push(...(await pictures(pathOf(answer))));
    }
    expect(shown.length).toBeGreaterThan(7.5 * FPS);
    expect(shown).toEqual(source.slice(0, shown.length));
  });

  it('counts from any save but a preview, and is refused when nothing is new', async () => {
    const { saves, write, notices } = world();
    write(4);
    const last = await saves.save({ seconds: 1 });
    await expect(saves.save({ sinceLastSave: true })).rejects.toMatchObject({ code: 'conflict' });
    expect(notices.at(-1)?.type).toBe('save-failed');
    write(6);
    await saves.save({ seconds: 1, format: 'gif' });
    const answer = await saves.save({ sinceLastSave: true });
    expect(answer.clips[0]?.from).toBeCloseTo(last.clips[0]?.to ?? 0, 2);
    expect(answer.seconds).toBeGreaterThan(1.5);
  });

  it('pressed twice at once gives each picture to one of them', async () => {
    const { saves, write } = world();
    write(3);
    await saves.save({ seconds: 1 });
    write(5);
    const [a, b] = await Promise.allSettled([saves.save({ sinceLastSave: true }), saves.save({ sinceLastSave: true })]);
    expect(a.status).toBe('fulfilled');
    expect(b).toMatchObject({ status: 'rejected', reason: { code: 'conflict' } });
  });

  it('says when the buffer no longer reaches back', async () => {
    const { saves, write, ring, clock } = world();
    write(2);
    await saves.save({ seconds: 1 });
    ring.clear();
    clock.now = 1005;
    write(6);
    const answer = await saves.save({ sinceLastSave: true });
    expect(answer.reason).toContain('no longer reaches back');
  });
});

describe('what is asked for', () => {
  it('exact seconds give exactly these, to a picture', async () => {
    const { saves, write } = world();
    write(7.7);
    for (const seconds of [0.5, 1, 2.34, 5]) {
      const answer = await saves.save({ seconds, exact: true });
      expect(Math.abs(answer.seconds - seconds)).toBeLessThanOrEqual(1 / FPS + 0.001);
      expect((await pictures(pathOf(answer))).length).toBe(Math.round(answer.seconds * FPS));
    }
  });

  it('a span of time gives its pictures', async () => {
    const { saves, write } = world();
    write(8);
    const answer = await saves.save({ from: 1002.2, to: 1004.5, exact: true });
    const shown = await pictures(pathOf(answer));
    // the first picture was shown at 1000
    expect(shown).toEqual(source.slice(66, 66 + shown.length));
    expect(Math.abs(shown.length - 2.3 * FPS)).toBeLessThanOrEqual(1);
  });

  it('seconds that are not held come with a reason, from 0 means everything', async () => {
    const { saves, write } = world();
    write(4);
    const short = await saves.save({ seconds: 60 });
    expect(short.askedSeconds).toBe(60);
    expect(short.reason).toMatch(/^Only \d\.\d s were in the buffer\.$/);
    const all = await saves.save({ from: 0 });
    expect(all.reason).toBeUndefined();
    expect(all.seconds).toBeCloseTo(short.seconds, 3);
    const before = await saves.save({ from: 990 });
    expect(before.reason).toMatch(/^Only/);
  });

  it('clear drops what was saved and only that, and only when it was saved', async () => {
    const { saves, write, ring } = world();
    write(4.5);
    await expect(saves.save({ from: 5000, to: 5001, clear: true })).rejects.toMatchObject({ code: 'range-not-held' });
    const before = ring.status().secondsHeld;
    const answer = await saves.save({ from: 1001, to: 1002, clear: true });
    const after = ring.status();
    expect(after.secondsHeld).toBeLessThan(before);
    // its last group goes on after it and stays
    expect(after.epochs[0]?.from).toBeLessThanOrEqual(answer.clips[0]?.to ?? 0);
    expect(after.epochs[0]?.from).toBeGreaterThan(1000.5);
    await saves.save({ clear: true });
    expect(ring.status().secondsHeld).toBeLessThan(1.1);
    write(6.5);
    const next = await saves.save({ sinceLastSave: true });
    expect(next.reason).toBeUndefined();
  });

  it('a preview of a long replay takes the newest and says so', async () => {
    const { saves, write } = world();
    write(11);
    const answer = await saves.save({ seconds: 60, format: 'gif' });
    expect(answer.reason).toMatch(/^Only 1\d\.\d s were in the buffer\.$/);
  });

  it('an epoch each: the start is cut in the first one only', async () => {
    const { saves, write, ring, clock } = world();
    write(4);
    ring.endInput();
    clock.now = 1100;
    ring.beginEpoch({ sourceName: 'Other' });
    ring.write(stream.subarray(0, Math.floor(stream.length / 4)));
    clock.now = 1103;
    const answer = await saves.save({ seconds: 5, exact: true });
    expect(answer.clips).toHaveLength(2);
    expect(Math.abs(answer.seconds - 5)).toBeLessThanOrEqual(2 / FPS);
    const second = await pictures(pathOf(answer, 1));
    expect(second).toEqual(source.slice(0, second.length));
  });
});

describe('saves under way', () => {
  it('show how far they are, and can be cancelled; the others go on', async () => {
    const { saves, write } = world();
    write(10);
    const doomed = saves.save({ from: 0, format: 'webm' });
    const kept = saves.save({ seconds: 2 });
    const [first, second] = saves.jobs;
    if (!first || !second) throw new Error('no jobs');
    expect(first).toMatchObject({ format: 'webm', stage: 'writing' });
    expect(first.bytesExpected).toBeGreaterThan(second.bytesExpected);
    await vi.waitFor(() => expect(saves.jobs[0]?.bytesWritten).toBeGreaterThan(0), 5000);
    saves.cancel(first.id);
    await expect(doomed).rejects.toMatchObject({ code: 'cancelled' });
    expect((await kept).clips).toHaveLength(1);
    expect(saves.jobs).toEqual([]);
    expect((await readdir(folder)).filter((name) => name !== 'index')).toHaveLength(1);
    expect(() => saves.cancel(first.id)).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it('are a few at once, each its own clip, and no more than that', async () => {
    const { saves, write } = world();
    write(6);
    const many = Array.from({ length: 9 }, async (_, i) => saves.save({ seconds: 1 + (i % 3) }));
    const settled = await Promise.allSettled(many);
    expect(settled.map(({ status }) => status)).toEqual([...Array<string>(8).fill('fulfilled'), 'rejected']);
    expect(settled[8]).toMatchObject({ reason: { code: 'conflict' } });
    const files = (await readdir(folder)).filter((name) => name.endsWith('.mp4'));
    expect(files).toHaveLength(8);
  });

  it('in the second folder are told as a warning', async () => {
    await writeFile(path.join(folder, 'file'), '');
    const second = path.join(folder, 'second');
    const { saves, write, notices } = world([path.join(folder, 'file', 'x'), second]);
    write(3);
    const answer = await saves.save({ seconds: 1 });
    expect(answer.reason).toContain(second);
    expect(notices.at(-1)).toMatchObject({ type: 'clip-saved', warning: true, reason: answer.reason });
  });
});
