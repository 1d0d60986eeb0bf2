import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { streamsOf } from '../test/support/media.ts';
import { startMpv } from '../test/support/mpv.ts';
import { run } from '../test/support/processes.ts';
import { startStudio, type RunningStudio } from '../test/support/studio.ts';
import { pause, until } from '../test/support/wait.ts';

/** One picture of the 30 per second, and what mpv rounds. */
const ONE_PICTURE = 1 / 30 + 0.005;

async function streaming(seconds: number, args: readonly string[] = []): Promise<RunningStudio> {
  const studio = await startStudio({ args: ['--source', 'test-pattern', '--start', ...args] });
  await studio.holds(seconds);
  return studio;
}

/**
 * What mpv needs to seek exactly in MPEG-TS beyond its cache: ffmpeg's demuxer goes to a packet of the right time, whatever it is, so
 * decoding has to begin a GOP (one second) earlier. Without it mpv lands at the next keyframe.
 */
const EXACT = ['--pause', '--hr-seek-demuxer-offset=1'];
const NO_CACHE = ['--demuxer-seekable-cache=no', '--demuxer-max-bytes=1MiB'];

const at = (studio: RunningStudio, path: string): string => new URL(path, studio.url).href;

/** Decodes as strictly as ffmpeg can; `input` are options in front of the address. */
async function expectClean(address: string, input: readonly string[] = []): Promise<void> {
  const { code, stderr } = await run('ffmpeg', ['-v', 'error', '-xerror', ...input, '-i', address, '-f', 'null', '-']);
  expect({ code, stderr }, `${input.join(' ')} ${address}`).toEqual({ code: 0, stderr: '' });
}

/** Steps of the decoding times of a stream's packets, seconds, in order. */
async function steps(file: string, stream: 'v' | 'a'): Promise<number[]> {
  const { stdout } = await run('ffprobe', [
    ...['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=dts_time', '-of', 'csv=p=0', file],
  ]);
  const times = stdout.toString('latin1').trim().split(/\s+/).map(parseFloat);
  return times.slice(1).map((time, i) => time - (times[i] ?? 0));
}

async function killFfmpeg(studio: RunningStudio): Promise<void> {
  const epochs = (await studio.status()).replay.epochs.length;
  process.kill(studio.ffmpeg(), 'SIGKILL');
  await until(
    'the studio to be live again',
    10_000,
    () => studio.status(),
    ({ state, replay }) => state === 'live' && replay.epochs.length > epochs && replay.liveSeconds > 1,
  );
}

test('curl, ffprobe and ffmpeg read every form without an error', async () => {
  const studio = await streaming(4);
  const file = `${studio.folder}/video.ts`;
  for (const [path, options] of [
    ['/video', []],
    ['/video?seconds=2', []],
    ['/video', ['--location', '--range', '0-']],
    ['/video?seconds=2', ['--location', '--range', '0-']],
  ] as const) {
    const curl = await run('curl', ['--fail', '--silent', '--show-error', ...options, '-o', file, at(studio, path)]);
    expect([curl.code, curl.stderr]).toEqual([0, '']);
    await expectClean(file);
  }
  const curl = await run('curl', ['--silent', '--max-time', '2', '-o', file, at(studio, '/live.ts')]);
  expect(curl.code).toBe(28); // its own time limit: the body has no end
  await expectClean(file);

  for (const path of ['/video', '/live.ts', '/video?follow=1']) {
    const kinds = (await streamsOf(at(studio, path))).map(({ codec_name: name }) => name);
    expect(kinds, path).toEqual(['h264', 'aac']);
    await expectClean(at(studio, path), ['-t', '2']);
  }
  await expectClean(at(studio, '/video'));
  const heads = await run('curl', ['--silent', '--head', at(studio, '/live.ts'), at(studio, '/video')]);
  expect(heads.stdout.toString('latin1').match(/^HTTP\/1\.1 200 OK/gm)).toHaveLength(2);
});

test('nothing recorded yet: 503, and a player that tries again gets it', async () => {
  const studio = await startStudio();
  const empty = await studio.api('GET', '/video');
  expect(empty.status).toBe(503);
  expect(empty.headers.get('retry-after')).toBe('1');
  const file = `${studio.folder}/first.ts`;
  const retrying = run('curl', ['--silent', '--fail', '--retry', '30', '-o', file, at(studio, '/video')]);
  await studio.start('test-pattern');
  expect((await retrying).code).toBe(0);
  await expectClean(file);
});

test('mpv opens /video at once and seeks exactly, back and forth', async () => {
  const studio = await streaming(12);
  for (const options of [EXACT, [...EXACT, ...NO_CACHE]]) {
    const openedAt = performance.now();
    const mpv = await startMpv(at(studio, '/video'), options);
    const duration = await until(
      'a duration',
      5000,
      () => mpv.number('duration'),
      (seconds) => seconds > 10,
    );
    process.stdout.write(`measured: mpv has /video open after ${Math.round(performance.now() - openedAt)} ms\n`);
    for (const target of [7, 2.5, duration - 1, 0.5, 9.1]) {
      const position = await mpv.seek(target);
      expect(Math.abs(position - target), `sought ${target}, is at ${position}`).toBeLessThanOrEqual(ONE_PICTURE);
    }
    await mpv.plays(10);
    expect(mpv.lines).toEqual([]);
  }
});

test('mpv opens /video of a full buffer, whose oldest pictures leave meanwhile', async () => {
  const studio = await streaming(8, ['--replay-seconds', '8']);
  await pause(2000);
  for (let i = 0; i < 3; i += 1) {
    const mpv = await startMpv(at(studio, '/video'), EXACT);
    await until(
      'a duration',
      5000,
      () => mpv.number('duration'),
      (seconds) => seconds > 6,
    );
    // its first picture is shown: what restarts the playback from here on is the seek
    await mpv.plays(0.1);
    expect(Math.abs((await mpv.seek(4)) - 4)).toBeLessThanOrEqual(ONE_PICTURE);
    expect(mpv.lines).toEqual([]);
  }
});

test('mpv follows: from the oldest picture, back and forth in its cache while recording goes on, up to live', async () => {
  const studio = await streaming(6);
  const mpv = await startMpv(at(studio, '/video?follow=1'));
  await mpv.plays(0.5);
  const { end } = await until(
    'the past in its cache',
    5000,
    () => mpv.cached(),
    (cache) => cache.end > 5,
  );
  expect(Math.abs((await mpv.seek(4)) - 4)).toBeLessThanOrEqual(ONE_PICTURE);
  expect(Math.abs((await mpv.seek(1)) - 1)).toBeLessThanOrEqual(ONE_PICTURE);
  await mpv.plays(2);
  // recording went on meanwhile
  const later = await until(
    'newer pictures',
    5000,
    () => mpv.cached(),
    (cache) => cache.end > end + 2,
  );
  const live = await mpv.seek(later.end - 0.5);
  expect(live).toBeGreaterThan(later.end - 1);
  await mpv.plays(later.end + 2);
  const edge = await mpv.cached();
  expect(edge.end - (await mpv.number('time-pos'))).toBeLessThan(1.5);
  expect(Math.abs((await mpv.seek(2)) - 2)).toBeLessThanOrEqual(ONE_PICTURE);
  expect(mpv.events.filter((event) => event.startsWith('end-file'))).toEqual([]);
  expect(mpv.lines).toEqual([]);
});

test('a killed ffmpeg in between: players read on over both epochs, on one timeline', async () => {
  const studio = await streaming(4);
  const file = `${studio.folder}/follow.ts`;
  const reading = run('curl', ['--silent', '--max-time', '12', '-o', file, at(studio, '/video?follow=1')]);
  const mpv = await startMpv(at(studio, '/video?follow=1'));
  const live = await startMpv(at(studio, '/live.ts'));
  expect((await studio.status()).media.readers.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['follow', 'live']),
  );
  const decoding = run('ffmpeg', [
    '-v',
    'error',
    '-xerror',
    '-i',
    at(studio, '/video?follow=1'),
    '-t',
    '9',
    '-f',
    'null',
    '-',
  ]);
  await mpv.plays(1);
  await killFfmpeg(studio);
  const { replay } = await studio.status();
  const before = replay.epochs[0]?.seconds ?? 0;
  await until(
    'the second epoch in the cache',
    8000,
    () => mpv.cached(),
    ({ end }) => end > before + 1.5,
  );
  const position = await mpv.seek(before + 1);
  expect(Math.abs(position - before - 1)).toBeLessThanOrEqual(ONE_PICTURE + 0.1);
  await mpv.plays(before + 2);
  expect(Math.abs((await mpv.seek(before - 1)) - before + 1)).toBeLessThanOrEqual(ONE_PICTURE);
  await mpv.plays(before + 1.5); // over the joint
  const now = await live.number('time-pos');
  await live.plays(now + 1);
  for (const player of [mpv, live]) {
    expect(player.events.filter((event) => event.startsWith('end-file'))).toEqual([]);
    // the sound that the killed ffmpeg had not written yet is missing
    expect(player.lines.filter((line) => !line.startsWith('Invalid audio PTS'))).toEqual([]);
  }
  expect(await decoding).toMatchObject({ code: 0, stderr: '' });
  await reading;
  await expectClean(file);
  for (const stream of ['v', 'a'] as const) {
    const all = await steps(file, stream);
    expect(all.length).toBeGreaterThan(150);
    expect(Math.min(...all), stream).toBeGreaterThan(0);
    expect(Math.max(...all), stream).toBeLessThan(0.5);
  }
  // the finite forms go over the joint as well
  await expectClean(at(studio, '/video'));
  const finite = await startMpv(at(studio, '/video'), EXACT);
  await until(
    'a duration',
    5000,
    () => finite.number('duration'),
    (seconds) => seconds > before + 1,
  );
  for (const target of [before + 0.5, before - 1, before + 1]) {
    expect(Math.abs((await finite.seek(target)) - target)).toBeLessThanOrEqual(ONE_PICTURE + 0.1);
  }
});

test('410 once the address has left the buffer', async () => {
  const studio = await streaming(4, ['--replay-seconds', '5']);
  const redirect = await fetch(at(studio, '/video'), { headers: { Range: 'bytes=0-' }, redirect: 'manual' });
  expect(redirect.status).toBe(307);
  const address = at(studio, redirect.headers.get('location') ?? '');
  const first = await fetch(address, { headers: { Range: 'bytes=0-187' } });
  expect([first.status, (await first.arrayBuffer()).byteLength]).toEqual([206, 188]);
  const gone = await until(
    '410',
    15_000,
    () => fetch(address, { headers: { Range: 'bytes=0-187' } }),
    ({ status }) => status === 410,
  );
  expect(await gone.json()).toMatchObject({ code: 'range-not-held', status: 410 });
});

test('a frozen reader costs little and holds nobody up; several read at once', async () => {
  const studio = await streaming(4, ['--replay-seconds', '5']);
  const rss = (): number => {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${studio.pid}/status`, 'latin1')) ?? [];
    return Number(kilobytes) * 1024;
  };
  const before = rss();
  for (const path of ['/video?follow=1', '/live.ts', '/video']) {
    const socket = connect(studio.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.pause();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${studio.port}\r\n\r\n`);
  }
  const files = [1, 2, 3].map((n) => `${studio.folder}/reader${n}.ts`);
  const started = performance.now();
  await Promise.all(
    files.map((file, n) =>
      run('curl', ['--silent', '--max-time', '10', '-o', file, at(studio, n === 0 ? '/live.ts' : '/video?follow=1')]),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  for (const file of files) {
    await expectClean(file);
    const video = await steps(file, 'v');
    expect(video.length / 30).toBeGreaterThan(seconds - 2);
    expect(Math.max(...video)).toBeLessThan(0.05);
  }
  const grown = rss() - before;
  process.stdout.write(`measured: ${(grown / 1e6).toFixed(1)} MB more with three frozen readers\n`);
  expect(grown).toBeLessThan(3 * 16e6 + 30e6);
  expect((await studio.status()).state).toBe('live');
});

test('a page of another site can read none of it', async () => {
  const studio = await streaming(1);
  for (const path of ['/video', '/live.ts', '/video?follow=1']) {
    const refused = await run('curl', [
      '--silent',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-H',
      'Origin: https://evil.example',
      at(studio, path),
    ]);
    expect(refused.stdout.toString('latin1')).toBe('403');
  }
});
