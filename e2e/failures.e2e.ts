import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../src/contract/index.ts';
import { expectCleanClip } from '../test/support/media.ts';
import { run } from '../test/support/processes.ts';
import {
  expectProblem,
  type RunningStudio,
  runStudio,
  scratch,
  sentences,
  startStudio,
} from '../test/support/studio.ts';
import { until } from '../test/support/wait.ts';
import { startWindow, startXvfb, type Xvfb } from '../test/support/xvfb.ts';

/** A folder for a test's own things. */
function ownFolder(): string {
  const place = scratch();
  onTestFinished(() => place.remove());
  return place.folder;
}

async function occupyPort(): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { port: address.port, server };
}

/** ffmpeg-static, where it is installed, must not step in for the ffmpeg that is taken away. */
const NO_STATIC = { FFMPEG_BIN: '/nonexistent/ffmpeg' };

/** By itself a save goes on to a second folder, which these tests are not about (`saves.e2e.ts` is). */
function withoutSecondFolder(): string[] {
  const data = join(ownFolder(), 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'settings.json'), JSON.stringify({ ...DEFAULT_SETTINGS, fallbackClipsFolder: '' }));
  return ['--data', data];
}

async function withReplay(args: readonly string[] = []): Promise<RunningStudio> {
  const studio = await startStudio({ args: ['--source', 'test-pattern', '--start', ...args] });
  await studio.holds(2);
  return studio;
}

describe('bad usage ends with code 2 and one sentence', () => {
  test.each([
    ['an unknown source', ['--source', 'nonsense', '--start'], /^There is no source "nonsense"\./],
    ['no memory for the replay', ['--replay-mb', '0'], /^--replay-mb must be .*, not "0"\./],
    ['an unknown flag', ['--sauce'], /--sauce/],
    ['a port that is none', ['--port', '70000'], /^--port must be/],
    ['--start without a source', ['--start'], /^--start needs --source/],
  ])('%s', async (_, args, sentence) => {
    const { code, stderr } = await runStudio({ args });
    expect(code, stderr).toBe(2);
    expect(sentences(stderr)).toHaveLength(1);
    expect(sentences(stderr)[0]).toMatch(sentence);
  });

  test('the HTTP port is taken', async () => {
    const { port } = await occupyPort();
    const { code, stdout, stderr } = await runStudio({ args: ['--port', String(port)] });
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(sentences(stderr)).toEqual([expect.stringContaining(`Port ${port} is used`)]);
    expect(sentences(stderr)[0]).toContain('--port');
  });

  test('the data folder belongs to a running studio', async () => {
    const first = await startStudio();
    const { code, stdout, stderr } = await runStudio({ args: ['--data', first.data] });
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(sentences(stderr)).toEqual([expect.stringContaining(`process ${first.pid}`)]);
    expect((await first.status()).state).toBe('idle');
  });

  test('a killed studio takes its children along, and its lock is no obstacle', async () => {
    const data = join(ownFolder(), 'data');
    const first = await startStudio({ args: ['--data', data, '--source', 'test-pattern', '--start'] });
    await first.holds(1);
    await first.crash();
    const studio = await startStudio({ args: ['--data', data] });
    expect((await studio.status()).state).toBe('idle');
  });

  test('the data folder cannot be written', async () => {
    const file = join(ownFolder(), 'file');
    writeFileSync(file, '');
    const { code, stdout, stderr } = await runStudio({ args: ['--data', join(file, 'data')] });
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(sentences(stderr)).toEqual([expect.stringMatching(/cannot be written to.*--data/)]);
  });
});

test('settings that cannot be read: the defaults, a word about it, and the old file kept', async () => {
  const data = join(ownFolder(), 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'settings.json'), '{"fps": 30, "saveSec');
  const studio = await startStudio({ args: ['--data', data] });
  const { health, replay } = await studio.status();
  expect(health.problems.map(({ code }) => code)).toEqual(['settings-reset']);
  expect(replay.capacitySeconds).toBe(120);
  expect(readFileSync(join(data, 'settings.json.bak'), 'utf8')).toBe('{"fps": 30, "saveSec');
});

test('an unknown source over HTTP is a conflict that names what there is', async () => {
  const studio = await startStudio();
  const answer = await studio.api('POST', '/api/capture/start', { source: 'window:No Such Game' });
  const { title, detail } = expectProblem(answer, 409, 'unknown-source');
  expect(title).toContain('No Such Game');
  expect(detail).toContain('test-pattern');
  expect((await studio.status()).state).toBe('idle');
});

test('saving an empty buffer is a conflict', async () => {
  const studio = await startStudio();
  expectProblem(await studio.api('POST', '/api/replays', { seconds: 5 }), 409, 'buffer-empty');
  expectProblem(await studio.api('POST', '/api/replays', { from: 1, to: 2 }), 409, 'buffer-empty');
});

test('the RTMP port is taken: the studio runs and says so, and takes it once it is free', async () => {
  const { port, server } = await occupyPort();
  const studio = await startStudio({ args: ['--rtmp-port', String(port), '--source', 'test-pattern', '--start'] });
  expect(studio.rtmp).toBeNull();
  const { rtmp, health, replay } = await studio.holds(2);
  expect(rtmp.url).toBeNull();
  expect(rtmp.error).toMatchObject({ code: 'port-in-use' });
  expect(rtmp.error?.remedy).toContain('--rtmp-port');
  expect(health.problems.map(({ code }) => code)).toContain('rtmp-down');
  expect(replay.epochs).toHaveLength(1);
  for (const { path } of (await studio.save()).clips) await expectCleanClip(path);

  server.close();
  await until(
    'the live address',
    15_000,
    () => studio.status(),
    (status) => status.rtmp.url !== null,
  );
  await until(
    'its publisher',
    10_000,
    () => studio.status(),
    (status) => status.rtmp.publishers.length === 1,
  );
  expect((await studio.status()).replay.epochs).toHaveLength(1);
});

describe('ffmpeg', () => {
  test('is missing: the studio runs, says so, and finds it once it is there', async () => {
    const bin = join(ownFolder(), 'bin');
    mkdirSync(bin);
    const studio = await startStudio({ env: { PATH: bin, ...NO_STATIC } });
    const { health } = await studio.status();
    const problem = health.problems.find(({ code }) => code === 'ffmpeg-missing');
    expect(problem).toMatchObject({ severity: 'error' });
    expect(problem?.remedy).toContain('FFMPEG_PATH');
    const refused = await studio.api('POST', '/api/capture/start', { source: 'test-pattern' });
    expect(expectProblem(refused, 409, 'ffmpeg-missing').detail).toContain('Install ffmpeg');

    for (const name of ['ffmpeg', 'ffprobe']) {
      const real = (await run('sh', ['-c', `command -v ${name}`])).stdout.toString('utf8').trim();
      writeFileSync(join(bin, name), `#!/bin/sh\nexec ${real} "$@"\n`, { mode: 0o755 });
    }
    expect((await studio.start('test-pattern')).state).toBe('live');
    expect((await studio.status()).health.problems.map(({ code }) => code)).not.toContain('ffmpeg-missing');
  });

  describe('without x11grab', () => {
    let screen: Xvfb;
    beforeAll(async () => {
      screen = await startXvfb({ width: 800, height: 600 });
    });
    afterAll(async () => screen.stop());

    test('cannot capture a window and says what can; the test pattern works', async () => {
      const folder = ownFolder();
      for (const name of ['ffmpeg', 'ffprobe']) {
        const file = join(folder, name);
        writeFileSync(
          file,
          `#!/bin/sh\ncase " $* " in *" -devices "*) /usr/bin/env ${name} "$@" | grep -v x11grab ;; *) exec /usr/bin/env ${name} "$@" ;; esac\n`,
        );
        chmodSync(file, 0o755);
      }
      const game = await startWindow({ display: screen.display, title: 'Assetto Corsa', width: 320, height: 200 });
      onTestFinished(() => game.close());
      const studio = await startStudio({
        display: screen.display,
        env: { FFMPEG_PATH: join(folder, 'ffmpeg'), ...NO_STATIC },
      });
      const refused = await studio.api('POST', '/api/capture/start', { source: 'window:assetto' });
      const { title, detail } = expectProblem(refused, 409, 'ffmpeg-unsuitable');
      expect(title).toContain('x11grab');
      expect(detail).toContain('FFMPEG_PATH');
      expect((await studio.status()).state).toBe('failed');
      expect((await studio.start('test-pattern')).state).toBe('live');
    });
  });
});

describe('a save that fails keeps the buffer', () => {
  test('the clips folder cannot be made; later it can', async () => {
    const place = join(ownFolder(), 'clips');
    writeFileSync(place, 'a file where the folder should be');
    const studio = await withReplay(['--clips', join(place, 'here'), ...withoutSecondFolder()]);
    const before = await studio.status();
    const refused = await studio.api('POST', '/api/replays', { seconds: 5 });
    expect(expectProblem(refused, 409, 'folder-not-writable').detail).toContain('--clips');
    const { replay, health } = await studio.status();
    expect(health.problems.map(({ code }) => code)).toContain('clips-folder');
    expect(replay.secondsHeld).toBeGreaterThanOrEqual(before.replay.secondsHeld);
    rmSync(place);
    const { clips } = await studio.save({ seconds: 5 });
    expect(clips).toHaveLength(1);
    for (const clip of clips) await expectCleanClip(clip.path);
  });

  test.each([
    ['is killed', 'kill -9 $$'],
    ['writes what is no clip', 'for file; do :; done; head -c 100000 /dev/urandom > "$file"; exec cat > /dev/null'],
    ['leaves the second half out', 'exec /usr/bin/env ffmpeg -t 1 "$@"'],
  ])('the ffmpeg of the save %s: nothing is called saved; later it is', async (_, deed) => {
    const folder = ownFolder();
    const broken = join(folder, 'broken');
    writeFileSync(
      join(folder, 'ffmpeg'),
      `#!/bin/sh\ncase " $* " in *" -f mp4 "*) if [ -e ${broken} ]; then ${deed}; fi ;; esac\nexec /usr/bin/env ffmpeg "$@"\n`,
      { mode: 0o755 },
    );
    writeFileSync(broken, '');
    const studio = await startStudio({
      args: ['--source', 'test-pattern', '--start'],
      env: { FFMPEG_PATH: join(folder, 'ffmpeg') },
    });
    const before = await studio.holds(3);
    const refused = await studio.api('POST', '/api/replays', { seconds: 30 });
    expect(expectProblem(refused, 500, 'save-failed').detail).toMatch(/replay is kept/);
    expect(readdirSync(studio.clips)).toEqual([]);
    expect((await studio.api('GET', '/api/clips')).body).toEqual([]);
    const after = await studio.status();
    expect(after.state).toBe('live');
    expect(after.replay.secondsHeld).toBeGreaterThanOrEqual(before.replay.secondsHeld);
    rmSync(broken);
    for (const clip of (await studio.save({ seconds: 30 })).clips) await expectCleanClip(clip.path);
  });

  test('the disk is full; later there is room', async ({ skip }) => {
    const folder = join(ownFolder(), 'small disk');
    mkdirSync(folder);
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', folder]).catch((error: unknown) => ({
      code: 1,
      stderr: String(error),
    }));
    if (mounted.code !== 0) {
      process.stdout.write(`skipped: a small disk needs the right to mount (${mounted.stderr.trim()})\n`);
      skip();
    }
    onTestFinished(async () => {
      const { code, stderr } = await run('umount', ['-l', folder]);
      expect(code, stderr).toBe(0);
    });
    const studio = await withReplay(['--clips', folder, ...withoutSecondFolder()]);
    const filler = join(folder, 'filler');
    await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k', 'conv=notrunc']);
    const before = await studio.status();
    const refused = await studio.api('POST', '/api/replays', { seconds: 60 });
    expect(expectProblem(refused, 507, 'disk-full').detail).toMatch(/Free some space/);
    expect(readdirSync(folder)).toEqual(['filler']);
    expect((await studio.status()).replay.secondsHeld).toBeGreaterThanOrEqual(before.replay.secondsHeld);
    expect((await studio.status()).state).toBe('live');

    rmSync(filler);
    const { clips, seconds } = await studio.save({ seconds: 60 });
    expect(seconds).toBeGreaterThanOrEqual(before.replay.secondsHeld - 1);
    for (const clip of clips) await expectCleanClip(clip.path);
    expect(readdirSync(folder)).toHaveLength(1);
  });
});
