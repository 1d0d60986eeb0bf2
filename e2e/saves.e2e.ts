import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Clip, DEFAULT_SETTINGS, Mark, SaveAnswer, type SaveRequest, type Settings } from '../src/contract/index.ts';
import { expectCleanClip, streamsOf } from '../test/support/media.ts';
import { processesWith, run } from '../test/support/processes.ts';
import { type RunningStudio, scratch, startStudio } from '../test/support/studio.ts';
import { until, within } from '../test/support/wait.ts';
import { startXvfb } from '../test/support/xvfb.ts';

const HEADLESS = resolve(import.meta.dirname, '../out/main/headless.js');
const GOP_SECONDS = 1;
const FRAME = 1 / 30;
/** 1000 in a long run */
const SAVES = process.env['PITWALL_SOAK'] === '1' ? 1000 : 100;
const SOAK_MS = SAVES * 6000;

/** A folder of this test's own, gone when it ends. */
function folderOf(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `pitwall-e2e-${name}-`));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A data folder with these settings: a small picture keeps the machine free for what is tested. */
function dataWith(settings: Partial<Settings>): string {
  const data = folderOf('data');
  writeFileSync(join(data, 'settings.json'), JSON.stringify({ ...DEFAULT_SETTINGS, pictureSize: '480p', ...settings }));
  return data;
}

async function recording({
  settings = {},
  args = [],
  ...rest
}: {
  settings?: Partial<Settings>;
  args?: string[];
  display?: string;
  env?: NodeJS.ProcessEnv;
} = {}): Promise<RunningStudio> {
  const studio = await startStudio({ ...rest, args: ['--data', dataWith(settings), ...args] });
  expect((await studio.start('test-pattern')).state).toBe('live');
  return studio;
}

const visible = (folder: string): string[] => readdirSync(folder).filter((name) => !name.startsWith('.'));
const clipsOf = async (studio: RunningStudio): Promise<Clip[]> =>
  z.array(Clip).parse((await studio.api('GET', '/api/clips')).body);
const marksOf = async (studio: RunningStudio): Promise<Mark[]> =>
  z.array(Mark).parse((await studio.api('GET', '/api/marks')).body);

/** A whole clip: opens, begins with a keyframe, decodes without an error, is what the answer says. */
async function expectSaved({ clips }: SaveAnswer): Promise<void> {
  for (const clip of clips) {
    await expectCleanClip(clip.path);
    const bytes = readFileSync(clip.path);
    expect(bytes.length).toBe(clip.bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(clip.sha256);
  }
}

const Chapters = z.object({
  chapters: z.array(z.object({ start_time: z.coerce.number(), tags: z.object({ title: z.string() }) })),
});
async function chaptersOf(file: string): Promise<{ at: number; title: string }[]> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_chapters', '-of', 'json', file]);
  const { chapters } = Chapters.parse(JSON.parse(stdout.toString('utf8')));
  return chapters.map(({ start_time, tags }) => ({ at: start_time, title: tags.title }));
}

describe('saves while recording', () => {
  test(
    `${SAVES} of them, asked for at random, all decode without an error`,
    { timeout: SOAK_MS + 60_000 },
    async () => {
      const studio = await recording({ args: ['--replay-seconds', '15'] });
      await studio.holds(6);
      const random = (from: number, to: number): number => from + Math.random() * (to - from);
      const formats = ['mp4', 'mp4', 'mp4', 'mkv', 'ts'] as const;
      let done = 0;
      const worker = async (): Promise<void> => {
        while (done++ < SAVES) {
          const format = formats[Math.floor(Math.random() * formats.length)] ?? 'mp4';
          const exact = format === 'mp4' && Math.random() < 0.5;
          const to = Date.now() / 1000 - random(0.2, 2);
          const span: SaveRequest =
            Math.random() < 0.6 ? { seconds: random(0.3, 3) } : { from: to - random(0.3, 3), to };
          const request = { ...span, format, exact };
          const answer = await studio.save(request);
          await expectSaved(answer);
          const asked = request.seconds ?? (request.to ?? 0) - (request.from ?? 0);
          expect(answer.seconds, JSON.stringify(request)).toBeGreaterThanOrEqual(asked - FRAME - 0.002);
          expect(answer.seconds, JSON.stringify(request)).toBeLessThanOrEqual(
            asked + (exact ? 2 * FRAME : GOP_SECONDS + 2 * FRAME),
          );
          for (const clip of answer.clips) rmSync(clip.path);
        }
      };
      await Promise.all([worker(), worker()]);
      const { replay, state } = await studio.status();
      expect(state).toBe('live');
      expect(replay.epochs).toHaveLength(1);
      expect(readdirSync(studio.clips)).toEqual([]);
    },
  );

  test('each format is what it says, is served as that, and is found again', async () => {
    const studio = await recording();
    await studio.holds(3);
    const types = { mp4: 'video/mp4', mkv: 'video/x-matroska', ts: 'video/mp2t', gif: 'image/gif', webm: 'video/webm' };
    for (const [format, type] of Object.entries(types)) {
      const answer = SaveAnswer.parse((await studio.api('POST', '/api/replays', { seconds: 2, format })).body);
      expect(answer.reason).toBeUndefined();
      await expectSaved(answer);
      const [clip] = answer.clips;
      expect(clip?.path.endsWith(`.${format}`)).toBe(true);
      const served = await studio.api('GET', `/api/clips/${clip?.id ?? ''}/file`);
      expect(served.headers.get('content-type')).toBe(type);
      const kinds = (await streamsOf(clip?.path ?? '')).map(({ codec_type }) => codec_type);
      expect(kinds.includes('audio')).toBe(format !== 'gif');
    }
    expect((await clipsOf(studio)).length).toBe(5);
  });

  test('since the last save: clip after clip without a hole, then a refusal', async () => {
    const studio = await recording();
    await studio.holds(2);
    const first = await studio.save({ seconds: 1 });
    let end = first.clips[0]?.to ?? 0;
    for (const held of [4, 6]) {
      await studio.holds(held);
      const next = await studio.save({ sinceLastSave: true });
      expect(Math.abs((next.clips[0]?.from ?? 0) - end)).toBeLessThan(FRAME / 2);
      end = next.clips[0]?.to ?? 0;
      await expectSaved(next);
    }
    await studio.stopCapture();
    await studio.save({ sinceLastSave: true });
    const refused = await studio.api('POST', '/api/replays', { sinceLastSave: true });
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });

  test('a long one tells how far it is and can be cancelled', async () => {
    const studio = await recording({ settings: { pictureSize: 'source' } });
    await studio.holds(9);
    const answer = studio.api('POST', '/api/replays', { from: 0, format: 'gif' });
    const { saves } = await until(
      'the save to be under way',
      5000,
      () => studio.status(),
      (now) => {
        const [job] = now.saves;
        return job !== undefined && job.bytesWritten > 0 && job.bytesWritten <= job.bytesExpected;
      },
    );
    const { id } = saves[0] ?? { id: '' };
    expect((await studio.api('DELETE', `/api/replays/${id}`)).status).toBe(204);
    expect(await answer).toMatchObject({ status: 409, body: { code: 'cancelled' } });
    expect((await studio.api('DELETE', `/api/replays/${id}`)).status).toBe(404);
    expect((await studio.status()).saves).toEqual([]);
    expect(readdirSync(studio.clips)).toEqual([]);
    expect((await studio.save({ seconds: 1 })).clips).toHaveLength(1);
  });
});

describe('marks', () => {
  test('live as long as their pictures, and become chapters', async () => {
    const studio = await recording({ args: ['--replay-seconds', '8'] });
    const early = await studio.api('POST', '/api/marks', { label: 'first' });
    expect(early.status).toBe(201);
    await studio.holds(3);
    const marked = Mark.parse((await studio.api('POST', '/api/marks', { label: 'Überholt; #3' })).body);
    expect(Math.abs(marked.at - Date.now() / 1000)).toBeLessThan(1);
    const unnamed = Mark.parse((await studio.api('POST', '/api/marks', {})).body);
    expect(unnamed.label).toBe('Mark 3');
    expect(await studio.api('DELETE', `/api/marks/${unnamed.id}`)).toMatchObject({ status: 204 });
    expect(await studio.api('DELETE', `/api/marks/${unnamed.id}`)).toMatchObject({ status: 404 });
    await studio.holds(5);
    for (const format of ['mp4', 'mkv'] as const) {
      const { clips } = await studio.save({ seconds: 3, format });
      const [clip] = clips;
      if (!clip) throw new Error('no clip');
      const chapters = await chaptersOf(clip.path);
      expect(chapters.map(({ title }) => title)).toEqual(['Start', marked.label]);
      expect(Math.abs((chapters[1]?.at ?? 0) - (marked.at - clip.from))).toBeLessThan(0.05);
    }
    await until(
      'the first mark to leave with its pictures',
      15_000,
      () => marksOf(studio),
      (marks) => marks.length === 1,
    );
    expect((await marksOf(studio)).map(({ id }) => id)).toEqual([marked.id]);
    await until(
      'the other one too',
      15_000,
      () => marksOf(studio),
      (marks) => marks.length === 0,
    );
    const bad = await studio.api('POST', '/api/marks', { label: 5 });
    expect(bad.status).toBe(400);
  });

  test('cannot be set on an empty buffer', async () => {
    const studio = await startStudio();
    expect(await studio.api('POST', '/api/marks', {})).toMatchObject({ status: 409, body: { code: 'buffer-empty' } });
  });
});

test('several hotkeys, each with its own save, and one that marks', async () => {
  const screen = await startXvfb({ width: 640, height: 480 });
  onTestFinished(() => screen.stop());
  const preset = { format: 'mp4', clear: false } as const;
  const studio = await recording({
    display: screen.display,
    settings: {
      savePresets: [
        { ...preset, id: 'short', kind: 'seconds', seconds: 2, hotkey: 'F9' },
        { ...preset, id: 'new', kind: 'since-last-save', hotkey: 'Control+F10' },
        { ...preset, id: 'all', kind: 'all', hotkey: 'F11', format: 'ts', clear: true },
      ],
      markHotkey: 'F8',
    },
  });
  await studio.holds(4);
  const press = async (key: string): Promise<void> => {
    const { code } = await run('xdotool', ['key', key], { env: { ...process.env, DISPLAY: screen.display } });
    expect(code).toBe(0);
  };
  const pressed = async (key: string, count: number): Promise<Clip> => {
    await press(key);
    const clips = await until(
      `the clip of ${key}`,
      10_000,
      () => clipsOf(studio),
      ({ length }) => length === count,
    );
    const [newest] = clips;
    if (!newest) throw new Error('no clip');
    await expectCleanClip(newest.path);
    return newest;
  };
  await press('F8');
  await until(
    'the mark',
    5000,
    () => marksOf(studio),
    ({ length }) => length === 1,
  );
  const short = await pressed('F9', 1);
  expect(short.seconds).toBeLessThan(3.2);
  await studio.holds(6);
  const news = await pressed('ctrl+F10', 2);
  expect(Math.abs((news.from ?? 0) - (short.to ?? 0))).toBeLessThan(FRAME / 2);
  const all = await pressed('F11', 3);
  expect(all.path).toMatch(/\.ts$/);
  expect(all.seconds).toBeGreaterThan(5);
  expect((await studio.status()).replay.secondsHeld).toBeLessThan(3);
});

describe('when something goes wrong', () => {
  test('a full disk: the second folder takes over and says so; with both full the replay is kept and saved later', async (context) => {
    const [first, second] = [folderOf('full'), folderOf('second')];
    for (const [folder, size] of [
      [first, '48k'],
      [second, '8m'],
    ] as const) {
      const { code } = await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
      if (code !== 0) {
        context.skip('no small file system may be mounted here');
        return;
      }
      onTestFinished(async () => {
        await run('umount', [folder]);
      });
    }
    const studio = await recording({ settings: { fallbackClipsFolder: second }, args: ['--clips', first] });
    await studio.holds(4);
    const answer = await studio.save({ seconds: 3 });
    expect(answer.clips.map(({ path }) => dirname(path))).toEqual([second]);
    expect(answer.reason).toBe(`The disk of the clips folder is full, so the clip was saved to ${second}.`);
    await expectSaved(answer);
    expect((await clipsOf(studio)).map(({ path }) => path)).toEqual(answer.clips.map(({ path }) => path));

    const ballast = join(second, 'ballast');
    expect((await run('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4k', 'count=4096'])).code).not.toBe(0);
    const before = (await studio.stopCapture(), await studio.status()).replay;
    for (const format of ['mp4', 'ts']) {
      const failed = await studio.api('POST', '/api/replays', { seconds: 3, format });
      expect(failed).toMatchObject({ status: 507, body: { code: 'disk-full' } });
    }
    expect(readdirSync(first)).toEqual([]);
    expect(visible(second).sort()).toEqual([basename(answer.clips[0]?.path ?? ''), 'ballast'].sort());
    expect((await studio.status()).replay.bytesHeld).toBe(before.bytesHeld);
    rmSync(ballast);
    await expectSaved(await studio.save({ seconds: 3 }));
  });

  test('a clips folder that goes away comes back with the next save, or the second folder is used', async () => {
    const place = folderOf('clips');
    const studio = await recording({ args: ['--clips', join(place, 'clips')] });
    await studio.holds(2);
    await expectSaved(await studio.save({ seconds: 1 }));
    rmSync(join(place, 'clips'), { recursive: true });
    const again = await studio.save({ seconds: 1 });
    expect(again.reason).toBeUndefined();
    expect(await clipsOf(studio)).toHaveLength(1);
    rmSync(join(place, 'clips'), { recursive: true });
    writeFileSync(join(place, 'clips'), 'in the way');
    const elsewhere = await studio.save({ seconds: 1 });
    expect(elsewhere.reason).toMatch(/^The clips folder could not be written to, so the clip was saved to .*clips\.$/);
    await expectSaved(elsewhere);
  });

  test('without ffmpeg the replay is saved as it is', async () => {
    const bin = folderOf('bin');
    for (const name of ['ffmpeg', 'ffprobe']) {
      const { stdout } = await run('which', [name]);
      symlinkSync(stdout.toString('utf8').trim(), join(bin, name));
    }
    const studio = await recording({ env: { FFMPEG_PATH: join(bin, 'ffmpeg') } });
    await studio.holds(3);
    rmSync(join(bin, 'ffmpeg'));
    rmSync(join(bin, 'ffprobe'));
    const answer = await studio.save({ seconds: 2 });
    expect(answer.clips[0]?.path).toMatch(/\.ts$/);
    expect(answer.reason).toBe('ffmpeg could not be run, so the replay was saved as it is, as .ts instead of .mp4.');
    await expectSaved(answer);
  });

  test('kill -9 in the middle of a save leaves no clip or a whole one', { timeout: 180_000 }, async () => {
    for (const delay of [0, 15, 40, 80, 150, 400]) await killedWhileSaving(delay);
    expect(await killedWhileSaving('with the first clip')).toBeGreaterThan(0);
  });
});

/** Starts a studio, lets it record, has it save as fast as it can, and kills it `delay` ms later. Answers how many clips there are. */
async function killedWhileSaving(delay: number | 'with the first clip'): Promise<number> {
  const place = scratch();
  const data = dataWith({});
  mkdirSync(place.clips, { recursive: true });
  const child = spawn(
    process.execPath,
    [HEADLESS, '--headless', '--no-open', '--port', '0', '--rtmp-port', '0', '--data', data, '--clips', place.clips],
    { env: place.env, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  try {
    const ready = new Promise<string>((done) => createInterface(child.stdout).once('line', done));
    const { url } = z.object({ url: z.string() }).parse(JSON.parse(await within('the ready line', 30_000, ready)));
    const post = async (path: string, body: unknown): Promise<unknown> => {
      const response = await fetch(new URL(path, url), { method: 'POST', body: JSON.stringify(body) });
      return response.json();
    };
    await post('/api/capture/start', { source: 'test-pattern' });
    await until('some replay', 20_000, async () => {
      const status = z.object({ replay: z.object({ secondsHeld: z.number() }) });
      return status.parse(await (await fetch(new URL('/api/status', url))).json()).replay.secondsHeld > 3;
    });
    const saves = ['mp4', 'ts', 'mkv', 'mp4'].map(async (format) => post('/api/replays', { from: 0, format }));
    if (delay === 'with the first clip') await until('a clip', 10_000, () => visible(place.clips).length > 0);
    else await new Promise((done) => setTimeout(done, delay));
    child.kill('SIGKILL');
    await Promise.allSettled(saves);
    await until('its children to end', 10_000, () => processesWith(place.mark).length === 0);
    const left = visible(place.clips);
    for (const name of left) await expectCleanClip(join(place.clips, name));
    process.stdout.write(
      `killed ${typeof delay === 'number' ? `after ${delay} ms` : delay}: ${left.length} whole clips\n`,
    );
    return left.length;
  } finally {
    child.kill('SIGKILL');
    for (const { pid } of processesWith(place.mark)) process.kill(pid, 'SIGKILL');
    place.remove();
  }
}
