import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReplayRing } from './ring.ts';
import { cutAt, joined } from './testing/stream.ts';

const DEADLINE_MS = 60_000;

/** Runs a program to its end. Errors: rejects when it cannot be started or outlives the deadline. */
function run(program: string, args: readonly string[]): Promise<{ code: number | null; out: Buffer; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    const out: Buffer[] = [];
    let err = '';
    child.stdout.on('data', (data: Buffer) => out.push(data));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, out: Buffer.concat(out), err });
    });
  });
}

const video = (size: string, seconds: number): string[] => [
  '-f',
  'lavfi',
  '-t',
  `${seconds}`,
  '-i',
  `testsrc2=size=${size}:rate=30`,
];
const tone = (seconds: number): string[] => ['-f', 'lavfi', '-t', `${seconds}`, '-i', 'sine=frequency=440'];
const X264 = [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-tune',
  'zerolatency',
  '-pix_fmt',
  'yuv420p',
  '-flags',
  '+global_header',
];
const TEE = '[f=mpegts:mpegts_flags=+resend_headers:flush_packets=1:omit_video_pes_length=';

async function encode(args: readonly string[]): Promise<Uint8Array> {
  const { code, out, err } = await run('ffmpeg', ['-v', 'error', '-nostdin', ...args]);
  if (code !== 0 || out.length === 0) throw new Error(`ffmpeg ended with ${code}: ${err}`);
  return out;
}

const streams = {
  'H.264 as captured, lengths told': () =>
    encode([
      ...video('320x180', 8),
      ...tone(8),
      ...X264,
      '-g',
      '30',
      '-c:a',
      'aac',
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-f',
      'tee',
      `${TEE}0]pipe:1`,
    ]),
  'H.264 as captured, lengths not told': () =>
    encode([
      ...video('320x180', 8),
      ...tone(8),
      ...X264,
      '-g',
      '30',
      '-c:a',
      'aac',
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-f',
      'tee',
      `${TEE}1]pipe:1`,
    ]),
  'H.264 High with B-frames': () =>
    encode([
      ...video('322x182', 6),
      ...tone(6),
      '-c:v',
      'libx264',
      '-preset',
      'fast',
      '-pix_fmt',
      'yuv420p',
      '-g',
      '25',
      '-c:a',
      'aac',
      '-f',
      'mpegts',
      'pipe:1',
    ]),
  'HEVC with B-frames and open groups': () =>
    encode([
      ...video('320x180', 6),
      ...tone(6),
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'keyint=20:min-keyint=20:log-level=error',
      '-c:a',
      'aac',
      '-f',
      'mpegts',
      'pipe:1',
    ]),
} as const;
const names = Object.keys(streams) as (keyof typeof streams)[];

let folder = '';
const captured = new Map<string, Uint8Array>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pitwall-ring-'));
  for (const name of names) captured.set(name, await streams[name]());
}, 4 * DEADLINE_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

function ringOf(maxBytes = 64_000_000): ReplayRing {
  const ring = new ReplayRing({ maxBytes, maxSeconds: 600, now: () => 1000 });
  ring.beginEpoch({ sourceName: 'ffmpeg' });
  return ring;
}

async function decodesCleanly(bytes: Uint8Array): Promise<void> {
  const file = join(folder, 'clip.ts');
  await writeFile(file, bytes);
  const { code, err } = await run('ffmpeg', ['-v', 'error', '-nostdin', '-xerror', '-i', file, '-f', 'null', '-']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const packets = await run('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'v',
    '-read_intervals',
    '%+#1',
    '-show_entries',
    'packet=flags',
    '-of',
    'csv=p=0',
    file,
  ]);
  expect(packets.out.toString()).toMatch(/^K/);
}

describe.each(names)('%s', (name) => {
  const bytes = (): Uint8Array => captured.get(name) ?? new Uint8Array(0);

  it('random saves while it is written decode without an error', { timeout: DEADLINE_MS }, async () => {
    const ring = ringOf();
    let seed = 12345;
    const random = (): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
    const data = bytes();
    const saves: Uint8Array[] = [];
    let at = 0;
    for (let i = 0; i < 5; i += 1) {
      const to = Math.floor((data.length * (i + 1)) / 5 - random() * 3000);
      for (const chunk of cutAt(data.subarray(at, to), [4096, 100, 65536])) ring.write(chunk);
      at = to;
      const { epochs } = ring.status();
      expect(epochs).toHaveLength(1);
      const held = epochs[0]?.seconds ?? 0;
      const from = 1000 + random() * held * 0.8;
      for (const selection of [{ lastSeconds: random() * held }, { from, to: from + 0.1 + random() * 2 }]) {
        const [snapshot] = ring.snapshot(selection);
        if (!snapshot) throw new Error('nothing was held');
        saves.push(joined(snapshot.chunks()));
        snapshot.release();
      }
    }
    for (const save of saves) await decodesCleanly(save);
  });

  it(
    'the whole buffer holds every picture, and snapshots outlive a ring that wraps',
    { timeout: DEADLINE_MS },
    async () => {
      const data = bytes();
      const ring = ringOf(data.length * 1.5);
      ring.write(data);
      ring.endInput();
      const [snapshot] = ring.snapshot('all');
      if (!snapshot) throw new Error('nothing was held');
      for (let i = 0; i < 4; i += 1) {
        ring.write(data);
        ring.endInput();
      }
      expect(ring.status().epochs.some((epoch) => epoch.id === snapshot.epoch)).toBe(false);
      const kept = joined(snapshot.chunks());
      await decodesCleanly(kept);
      const frames = async (input: Uint8Array): Promise<string> => {
        const file = join(folder, 'frames.ts');
        await writeFile(file, input);
        return (
          await run('ffmpeg', ['-v', 'error', '-nostdin', '-i', file, '-map', '0:v', '-f', 'framemd5', '-'])
        ).out.toString();
      };
      expect(await frames(kept)).toBe(await frames(data));
    },
  );

  it('access units told early add up to the same elementary stream', { timeout: DEADLINE_MS }, async () => {
    const data = bytes();
    const ring = ringOf();
    const units: Uint8Array[] = [];
    let keyframes = 0;
    ring.onAccessUnit((unit) => {
      units.push(unit.copyAnnexB());
      if (unit.keyframe) keyframes += 1;
    });
    for (const chunk of cutAt(data, [65536])) ring.write(chunk);
    ring.endInput();
    const file = join(folder, 'source.ts');
    await writeFile(file, data);
    const format = name.startsWith('HEVC') ? 'hevc' : 'h264';
    const wanted = await run('ffmpeg', [
      '-v',
      'error',
      '-nostdin',
      '-i',
      file,
      '-map',
      '0:v',
      '-c',
      'copy',
      '-f',
      format,
      '-',
    ]);
    const digest = (b: Uint8Array): string => createHash('sha256').update(b).digest('hex');
    expect(digest(joined(units))).toBe(digest(wanted.out));
    expect(keyframes).toBe(ring.status().epochs[0] ? Math.ceil(units.length / gopOf(name)) : 0);
    expect(ring.counters.earlyEndMisses).toBe(0);
  });
});

function gopOf(name: string): number {
  if (name.startsWith('HEVC')) return 20;
  return name.includes('B-frames') ? 25 : 30;
}

describe('several sources', () => {
  it('each epoch decodes by itself, a connection torn in mid-packet included', { timeout: DEADLINE_MS }, async () => {
    const ring = ringOf();
    for (const [i, name] of names.entries()) {
      const data = captured.get(name) ?? new Uint8Array(0);
      ring.beginEpoch({ sourceName: name });
      for (const chunk of cutAt(data.subarray(1000 * i, data.length * 0.7 - 77 * i), [10_000])) ring.write(chunk);
    }
    const snapshots = ring.snapshot({ lastSeconds: ring.status().secondsHeld - 1.5 });
    expect(snapshots.map((s) => s.sourceName)).toEqual(names);
    for (const snapshot of snapshots) await decodesCleanly(joined(snapshot.chunks()));
  });
});

describe('latency', () => {
  it('nearly every picture is told with its own last packet, even when lengths are not told', () => {
    const data = captured.get('H.264 as captured, lengths not told') ?? new Uint8Array(0);
    const ring = ringOf();
    let told = 0;
    let late = 0;
    let begun = 0;
    ring.onAccessUnit(() => (told += 1));
    for (let p = 0; p < data.length; p += 188) {
      const packet = data.subarray(p, p + 188);
      // Video PID 0x100, payload unit start.
      if (packet[1] === 0x41 && packet[2] === 0) {
        if (told < begun) late += 1;
        begun += 1;
      }
      ring.write(packet);
    }
    expect(begun).toBe(240);
    expect(late).toBeLessThan(5);
  });
});

describe('picture format', () => {
  it.each([
    ['libx264', '1920x1080', ['-profile:v', 'high'], [100, 0, 40]],
    ['libx264', '1366x768', ['-profile:v', 'baseline'], [66, 192, 32]],
    ['libx264', '322x182', ['-pix_fmt', 'yuv444p', '-flags', '+ildct+ilme'], [244, 0, 21]],
    ['libx265', '1366x768', ['-x265-params', 'log-level=error'], undefined],
    ['libx265', '200x100', ['-x265-params', 'log-level=error', '-pix_fmt', 'yuv422p10le'], undefined],
  ])('%s %s %j', async (encoder, size, args, profile) => {
    const data = await encode([
      ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-frames:v', '3', '-pix_fmt', 'yuv420p'],
      ...['-c:v', encoder, '-preset', 'medium', ...args, '-f', 'mpegts', 'pipe:1'],
    ]);
    const ring = ringOf();
    let seen: unknown;
    ring.onAccessUnit((unit) => (seen ??= unit));
    ring.write(data);
    ring.endInput();
    const [width, height] = size.split('x').map(Number);
    expect(seen).toMatchObject({ keyframe: true, width, height, profile });
  });
});
