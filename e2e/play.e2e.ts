import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { expectCleanClip, streamsOf } from '../test/support/media.ts';
import { isRunning, run } from '../test/support/processes.ts';
import { type RunningStudio, expectProblem, startStudio } from '../test/support/studio.ts';
import { until, within } from '../test/support/wait.ts';

const ENCODERS = {
  h264: ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2'],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=30:bframes=3:scenecut=0'],
} as const;

/** Streams of ten seconds, made once; `silent`: H.264 without sound. */
const files = { h264: '', hevc: '', silent: '' };
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pitwall-play-'));
  for (const codec of ['h264', 'hevc'] as const) {
    files[codec] = join(folder, `${codec}.ts`);
    await made([
      ...['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30', '-f', 'lavfi', '-i', 'sine=sample_rate=48000'],
      ...['-pix_fmt', 'yuv420p', ...ENCODERS[codec], '-g', '30', '-c:a', 'aac', '-frames:v', '300', '-shortest'],
      ...['-f', 'mpegts', files[codec]],
    ]);
  }
  files.silent = join(folder, 'silent.ts');
  await made(['-i', files.h264, '-an', '-c', 'copy', '-f', 'mpegts', files.silent]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function made(args: readonly string[]): Promise<void> {
  const { code, stderr } = await run('ffmpeg', ['-v', 'error', ...args], { timeoutMs: 60_000 });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

const pipeOf = (studio: RunningStudio, name: string): string =>
  join(studio.env['XDG_RUNTIME_DIR'] ?? '', 'pitwall', name);
const fifoOf = (studio: RunningStudio): string => pipeOf(studio, 'piping_to_media_source');
const WAYS = { fifo: fifoOf, socket: (studio: RunningStudio) => `unix:${fifoOf(studio)}.sock` } as const;
const EACH_WAY = ['fifo', 'socket'] as const;

function started(args: readonly string[]): ChildProcess {
  const child = spawn('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** What OBS does: a file again and again, at real time, into the input pipe. */
const startWriter = (studio: RunningStudio, file: string): ChildProcess =>
  started([
    ...['-re', '-stream_loop', '-1', '-i', file, '-map', '0', '-c', 'copy', '-flush_packets', '1', '-f', 'mpegts'],
    pipeOf(studio, 'obs_piping_to_buffer'),
  ]);

async function holding(seconds: number, file = files.h264): Promise<{ studio: RunningStudio; writer: ChildProcess }> {
  const studio = await startStudio();
  await studio.start('obs-pipe');
  const writer = startWriter(studio, file);
  await studio.holds(seconds);
  return { studio, writer };
}

type Read = { code: number | null; stderr: string; pictures: number; firstPts: number; seconds: number };

type Reader = {
  child: ChildProcess;
  over: Promise<Read>;
  /** read so far */
  pictures: () => number;
};

/** A media source: opens the pipe, decodes strictly what comes, and notes every picture's time as it came. */
function startReader(studio: RunningStudio, way: keyof typeof WAYS): Reader {
  const list = ['-map', '0:v', '-c', 'copy', '-flush_packets', '1', '-f', 'framecrc', 'pipe:1'];
  const input = ['-copyts', '-analyzeduration', '500000', '-f', 'mpegts', '-i', WAYS[way](studio)];
  const args = ['-nostdin', '-v', 'error', '-xerror', ...input, ...list, '-map', '0', '-f', 'null', '-'];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('latin1')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const lines = (): string[] => stdout.split('\n').filter((line) => line.startsWith('0,'));
  const over = once(child, 'close').then(() => {
    const times = lines()
      .map((line) => Number(line.split(',')[2]) / 90_000)
      .sort((a, b) => a - b);
    const [first, last] = [times[0] ?? Number.NaN, times.at(-1) ?? Number.NaN];
    return { code: child.exitCode, stderr, pictures: times.length, firstPts: first, seconds: last - first + 1 / 30 };
  });
  return { child, over, pictures: () => lines().length };
}

const Play = z.strictObject({
  seconds: z.number(),
  from: z.number(),
  to: z.number(),
  epochs: z.array(z.int()).min(1),
  pipe: z.strictObject({ fifo: z.string(), socket: z.string(), reader: z.enum(EACH_WAY) }),
  video: z.string(),
  reason: z.string().optional(),
});

async function play(studio: RunningStudio, query = '', method = 'GET'): Promise<z.infer<typeof Play>> {
  const answer = await studio.api(method, `/play${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return Play.parse(answer.body);
}

const bytesTakenIn = async (studio: RunningStudio): Promise<number> => (await studio.status()).replay.bytesHeld;

describe.each(EACH_WAY)('through the %s', (way) => {
  test('a replay at its own pace, from zero, whole, while recording goes on', async () => {
    const { studio } = await holding(5);
    const before = await bytesTakenIn(studio);
    const reader = startReader(studio, way);
    const answer = await play(studio, '?seconds=4', 'POST');
    const since = performance.now();
    expect(answer.pipe).toEqual({ fifo: fifoOf(studio), socket: `${fifoOf(studio)}.sock`, reader: way });
    expect(answer.video).toBe(`http://127.0.0.1:${studio.port}/video`);
    expect(answer.seconds).toBeGreaterThanOrEqual(4);
    expect(answer.to - answer.from).toBeCloseTo(answer.seconds, 1);
    const read = await within('the reader to end', 15_000, reader.over);
    const took = (performance.now() - since) / 1000;
    process.stdout.write(
      `measured: ${answer.seconds.toFixed(2)} s played in ${took.toFixed(2)} s, first PTS ${read.firstPts.toFixed(3)} s\n`,
    );
    expect(read).toMatchObject({ code: 0, stderr: '' });
    // ffmpeg's muxer sends its clock 0.7 s ahead of the pictures; the earliest of the two is zero
    expect(read.firstPts).toBeGreaterThanOrEqual(0);
    expect(read.firstPts).toBeLessThan(1);
    expect(read.seconds).toBeCloseTo(answer.seconds, 1);
    // the end is where a picture ends as sent: up to two B-pictures of before it come after it
    expect(read.pictures).toBeGreaterThanOrEqual(Math.round(answer.seconds * 30) - 3);
    // the lead is half a second
    expect(took).toBeGreaterThan(answer.seconds - 0.7);
    expect(took).toBeLessThan(answer.seconds + 1.5);
    expect(await bytesTakenIn(studio)).toBeGreaterThan(before);
    expect((await studio.status()).replay.epochs).toHaveLength(1);
  });

  test('a second play ends the first one cleanly and begins anew', async () => {
    const { studio } = await holding(7);
    const first = startReader(studio, way);
    const long = await play(studio, '?seconds=6');
    await until('a second of it', 5000, () => first.pictures() > 30);
    const second = play(studio, '?seconds=2');
    second.catch(() => undefined);
    const cut = await within('the first reader to end', 5000, first.over);
    expect(cut.seconds).toBeLessThan(long.seconds - 1);
    expect(cut).toMatchObject({ code: 0, stderr: '' });
    const reader = startReader(studio, way);
    const { seconds } = await second;
    const read = await within('the second reader to end', 10_000, reader.over);
    expect(read).toMatchObject({ code: 0, stderr: '' });
    expect(read.firstPts).toBeLessThan(1);
    expect(read.seconds).toBeCloseTo(seconds, 1);
  });

  test('a reader that is killed ends the play; the next one is served', async () => {
    // not from the sender's very first picture on: ffmpeg 5.1 may miss that through a socket
    const { studio, writer } = await holding(8);
    const killed = startReader(studio, way);
    await play(studio, '?seconds=4');
    await until('its first pictures', 5000, () => killed.pictures() > 0);
    killed.child.kill('SIGKILL');
    await killed.over;
    await until('the play to end', 3000, () => studio.lines.some((line) => line.includes('the play has ended')));
    const reader = startReader(studio, way);
    const { seconds } = await play(studio, '?seconds=1');
    const read = await within('the reader to end', 10_000, reader.over);
    expect(read).toMatchObject({ code: 0, stderr: '' });
    expect(read.seconds).toBeCloseTo(seconds, 1);
    expect(writer.exitCode).toBeNull();
    expect((await studio.status()).state).toBe('live');
  });
});

test('nobody opens the pipe: 409 with a hint after five seconds', async () => {
  const { studio } = await holding(1);
  const since = performance.now();
  const { detail } = expectProblem(await studio.api('GET', '/play'), 409, 'conflict');
  expect(performance.now() - since).toBeGreaterThan(4900);
  expect(performance.now() - since).toBeLessThan(7000);
  expect(detail).toContain(fifoOf(studio));
  expect(detail).toContain(`http://127.0.0.1:${studio.port}/video`);
});

test('an empty buffer is 503, other requests are refused', async () => {
  const studio = await startStudio();
  const empty = await studio.api('GET', '/play');
  expectProblem(empty, 503, 'buffer-empty');
  expect(empty.headers.get('retry-after')).toBe('1');
  expectProblem(await studio.api('POST', '/play?seconds=0'), 400, 'bad-request');
  expectProblem(await studio.api('GET', '/play?seconds=1&seconds=2'), 400, 'bad-request');
  expectProblem(await studio.api('GET', '/play?speed=2'), 400, 'bad-request');
  const refused = await studio.api('DELETE', '/play');
  expect(refused.headers.get('allow')).toBe('GET, POST');
  expectProblem(refused, 405, 'method-not-allowed');
});

test('a reader that takes nothing holds up nobody', async () => {
  const { studio } = await holding(3);
  const frozen = net.connect(`${fifoOf(studio)}.sock`);
  onTestFinished(() => void frozen.destroy());
  await once(frozen, 'connect');
  frozen.pause();
  await play(studio);
  const { replay } = await studio.status();
  const later = await studio.holds(replay.secondsHeld + 3);
  expect(later.state).toBe('live');
  expect(later.replay.epochs).toHaveLength(1);
});

test('the names are there from start to end, private, and gone afterwards', async () => {
  const studio = await startStudio();
  const fifo = lstatSync(fifoOf(studio));
  const socket = lstatSync(`${fifoOf(studio)}.sock`);
  expect([fifo.isFIFO(), fifo.mode & 0o777]).toEqual([true, 0o600]);
  expect([socket.isSocket(), socket.mode & 0o777]).toEqual([true, 0o600]);
  // a media source that waits when the studio ends is not left waiting
  const waiting = startReader(studio, 'fifo');
  const connected = startReader(studio, 'socket');
  await until('the reader to wait', 5000, () => isRunning(waiting.child.pid ?? 0));
  process.kill(studio.pid, 'SIGTERM');
  await until('the studio to end', 8000, () => !isRunning(studio.pid));
  expect(existsSync(fifoOf(studio))).toBe(false);
  expect(existsSync(`${fifoOf(studio)}.sock`)).toBe(false);
  await within('the readers to end', 5000, Promise.all([waiting.over, connected.over]));
  await studio.stop();
});

test('the whole flow: HEVC in, /video read, /play read, saves meanwhile, and the input never pauses', async () => {
  const { studio, writer } = await holding(4, files.hevc);
  const start = await studio.status();
  const since = performance.now();
  const reader = startReader(studio, 'fifo');
  const answer = await play(studio, '?seconds=4');
  const video = join(folder, 'video.ts');
  const saves = [studio.save({ seconds: 3 }), studio.save({ seconds: 60 })];
  await made(['-xerror', '-i', answer.video, '-map', '0', '-c', 'copy', '-y', '-f', 'mpegts', video]);
  expect((await streamsOf(video)).map(({ codec_name: name }) => name)).toEqual(['hevc', 'aac']);
  for (const { clips } of await Promise.all(saves)) for (const clip of clips) await expectCleanClip(clip.path);
  const read = await within('the reader to end', 15_000, reader.over);
  expect(read).toMatchObject({ code: 0, stderr: '' });
  expect(read.seconds).toBeCloseTo(answer.seconds, 1);
  const passed = (performance.now() - since) / 1000;
  const end = await studio.status();
  expect(end.replay.epochs).toHaveLength(1);
  expect(end.replay.secondsHeld - start.replay.secondsHeld).toBeGreaterThan(passed - 1.5);
  expect(end.health.problems.filter(({ code }) => code.startsWith('input-'))).toEqual([]);
  expect(writer.exitCode).toBeNull();
});

describe('the live address with the pipe as the source', () => {
  const published = (studio: RunningStudio, count = 1): Promise<unknown> =>
    until(
      `${count} publishers`,
      15_000,
      () => studio.status(),
      ({ rtmp }) => rtmp.publishers.length === count,
    );
  const problems = async (studio: RunningStudio): Promise<string[]> =>
    (await studio.status()).health.problems.map(({ code }) => code);
  const relays = (studio: RunningStudio): number[] =>
    studio.processes().flatMap(({ pid, command }) => (/ffmpeg .*-f flv rtmp:/.test(command) ? [pid] : []));

  test.each(['h264', 'silent'] as const)('%s can be read there, and ends with the sender', async (name) => {
    const { studio, writer } = await holding(2, files[name]);
    await published(studio);
    const since = performance.now();
    const streams = await streamsOf(studio.rtmp ?? '');
    process.stdout.write(
      `measured: ${name} opened over RTMP in ${((performance.now() - since) / 1000).toFixed(2)} s\n`,
    );
    expect(streams.map(({ codec_name: codec }) => codec).sort()).toEqual(['aac', 'h264']);
    expect(streams.find(({ codec_type: type }) => type === 'video')).toMatchObject({ width: 640, height: 360 });
    const decode = ['-v', 'error', '-xerror', '-i', studio.rtmp ?? '', '-t', '3', '-f', 'null', '-'];
    expect(await run('ffmpeg', decode)).toMatchObject({ code: 0, stderr: '' });
    expect(await problems(studio)).not.toContain('rtmp-not-carried');

    writer.kill('SIGKILL');
    await published(studio, 0);
    await until('the relay to end', 5000, () => relays(studio).length === 0);
    startWriter(studio, files[name]);
    await published(studio);
    await studio.stopCapture();
    await published(studio, 0);
    expect(relays(studio)).toEqual([]);
  });

  test('a relay that dies is started again, and so it is when the RTMP server dies; the ring does not notice', async () => {
    const { studio } = await holding(2);
    await published(studio);
    const [relay = 0] = relays(studio);
    process.kill(relay, 'SIGKILL');
    await until('another one', 5000, () => relays(studio).some((pid) => pid !== relay));
    await published(studio);
    const server = studio.processes().find(({ command }) => command.includes('rtmp-host'));
    process.kill(server?.pid ?? 0, 'SIGKILL');
    await published(studio, 0);
    await published(studio);
    await streamsOf(studio.rtmp ?? '');
    const { state, replay } = await studio.status();
    expect(state).toBe('live');
    expect(replay.epochs).toHaveLength(1);
  });

  test('HEVC is not carried, and the status says why and what to do', async () => {
    const { studio } = await holding(2, files.hevc);
    const { health, rtmp } = await studio.status();
    const problem = health.problems.find(({ code }) => code === 'rtmp-not-carried');
    expect(problem?.message).toContain('HEVC');
    expect(problem?.remedy).toContain(`${studio.url}live.ts`);
    expect(rtmp.publishers).toEqual([]);
    expect(relays(studio)).toEqual([]);
    await studio.stopCapture();
    expect(await problems(studio)).not.toContain('rtmp-not-carried');
  });

  test('an own capture publishes by itself: no relay', async () => {
    const studio = await startStudio();
    await studio.start('test-pattern');
    await published(studio);
    expect(studio.processes().filter(({ command }) => command.includes('-i pipe:0'))).toEqual([]);
  });
});
