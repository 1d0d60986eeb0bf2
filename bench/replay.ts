/**
 * The replay engine: saving 60 s at 50 Mbit/s (about 370 MB) as .ts and .mp4 beside the plainest way to do the same; how long the
 * event loop is held up and what a live producer loses meanwhile; memory over an hour of recording; snapshots; and how fast bytes
 * are taken in, beside a plain copy.
 */
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { pino } from 'pino';
import { probeClip } from '../src/main/engine/clips/probe.ts';
import { syncFile } from '../src/main/engine/clips/publish-file.ts';
import { saveFile } from '../src/main/engine/clips/save.ts';
import { runToEnd } from '../src/main/engine/process/child.ts';
import { Mirror } from '../src/main/engine/mirror/mirror.ts';
import { MirroredRing } from '../src/main/engine/mirror/mirrored-ring.ts';
import { ReplayRing } from '../src/main/engine/replay/ring.ts';
import { pause, runBench, say, type Bench } from './support/bench.ts';
import { fixed, median, table } from './support/figures.ts';

const SECONDS = 60;
const SEGMENT_SECONDS = 5;
const MEGABITS = 48;
const FPS = 30;
const ROUNDS = 5;
const CHUNK_BYTES = 64 * 1024;
const BLOCK_BYTES = 4 * 1024 * 1024;
const MIB = 1024 * 1024;
const FFMPEG_MS = 120_000;
const NANOSECONDS_PER_MS = 1e6;
/** 64 KiB every 10 ms are 52 Mbit/s */
const PRODUCE_MS = 10;
const LIVE_CHUNKS = 200;
const MIRROR_MS = 8000;
const MEMORY_BYTES = 256 * MIB;
const MEMORY_MINUTES = 60;

async function ffmpeg(bench: Bench, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runToEnd(bench.tools.ffmpeg, ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    timeoutMs: FFMPEG_MS,
  });
  if (code !== 0) throw new Error(`ffmpeg ended with ${String(code)}: ${stderr.join(' / ')}`);
}

/** MPEG-TS of 60 s as the capture writes it: one noisy stretch encoded once, then repeated by stream copy. */
async function makeStream(bench: Bench, seconds: number): Promise<string> {
  const segment = path.join(bench.folder, 'segment.mp4');
  const file = path.join(bench.folder, 'stream.ts');
  const picture = `testsrc2=size=1280x720:rate=${FPS}:duration=${SEGMENT_SECONDS},noise=alls=60:allf=t,format=yuv420p`;
  await ffmpeg(bench, [
    ...['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', 'anullsrc=r=48000:cl=stereo', '-shortest'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
      '-g',
      String(FPS),
      '-sc_threshold',
      '0',
      '-bf',
      '0',
    ],
    ...['-b:v', `${MEGABITS}M`, '-maxrate', `${MEGABITS}M`, '-bufsize', `${MEGABITS / 4}M`],
    ...['-c:a', 'aac', '-b:a', '128k', segment],
  ]);
  await ffmpeg(bench, [
    ...[
      '-stream_loop',
      String(Math.ceil(seconds / SEGMENT_SECONDS) - 1),
      '-i',
      segment,
      '-map',
      '0',
      '-c',
      'copy',
      '-t',
      String(seconds),
    ],
    ...['-f', 'mpegts', '-mpegts_flags', '+resend_headers', '-omit_video_pes_length', '0', file],
  ]);
  await rm(segment);
  return file;
}

/** A snapshot as one verified clip, the way the studio saves it. */
async function save(
  bench: Bench,
  snapshots: ReturnType<ReplayRing['snapshot']>,
  format: 'mp4' | 'ts',
): Promise<{ path: string; seconds: number }> {
  const [snapshot, ...others] = snapshots;
  for (const other of others) other.release();
  if (!snapshot) throw new Error('nothing held');
  const { saved } = await saveFile({
    ...{ snapshot, start: null, format, folder: path.join(bench.folder, 'clips'), marks: [] },
    tools: async () => Promise.resolve(bench.tools),
    now: () => Date.now() / 1000,
    signal: new AbortController().signal,
    onBytes: () => undefined,
    onWritten: () => undefined,
  });
  snapshot.release();
  return saved;
}

/** The same bytes written, synced and probed by the plainest means: the limit for a .ts. */
async function writeProbe(bench: Bench, bytes: readonly Uint8Array[]): Promise<void> {
  const target = path.join(bench.folder, 'plain.ts');
  const handle = await open(target, 'w');
  for (const block of bytes) await handle.write(block);
  await handle.sync();
  await handle.close();
  await probeClip(bench.tools, target);
  await rm(target);
}

/** What a stream copy by hand costs: the limit for an .mp4. */
async function copyProbe(bench: Bench, file: string): Promise<void> {
  const target = path.join(bench.folder, 'copy.mp4');
  await ffmpeg(bench, ['-i', file, '-map', '0:v:0', '-map', '0:a?', '-c', 'copy', target]);
  await syncFile(target);
  await probeClip(bench.tools, target);
  await rm(target);
}

/** Chunks of a file as a pipe would bring them. */
async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    if (chunk instanceof Buffer) yield chunk;
  }
}

async function fill(ring: ReplayRing, file: string): Promise<void> {
  ring.beginEpoch({ sourceName: 'bench' });
  for await (const chunk of chunksOf(file)) ring.write(chunk);
  ring.endInput();
}

const timed = async (work: () => unknown): Promise<number> => {
  const from = performance.now();
  await work();
  return performance.now() - from;
};

type Delay = { p99: number; max: number };

/** How long the event loop was held up while `work` ran, ms. */
async function delayDuring(work: () => Promise<unknown>): Promise<Delay> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  return { p99: delay.percentile(99) / NANOSECONDS_PER_MS, max: delay.max / NANOSECONDS_PER_MS };
}

/** A producer of about 50 Mbit/s that writes on a timer, so that a held-up loop shows as late bytes; returns how to stop it. */
function produce(ring: ReplayRing, bytes: readonly Uint8Array[]): { stop(): { sent: number; taken: number } } {
  const before = ring.totalBytes;
  let sent = 0;
  let next = 0;
  ring.beginEpoch({ sourceName: 'live' });
  const timer = setInterval(() => {
    const chunk = bytes[next++ % bytes.length];
    if (!chunk) return;
    ring.write(chunk);
    sent += chunk.length;
  }, PRODUCE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      ring.endInput();
      return { sent, taken: ring.totalBytes - before };
    },
  };
}

async function saves(bench: Bench, file: string): Promise<void> {
  const ring = newRing();
  await fill(ring, file);
  const { secondsHeld, bytesHeld } = ring.status();
  const blocks: Uint8Array[] = [];
  for await (const block of createReadStream(file, { highWaterMark: BLOCK_BYTES })) {
    if (block instanceof Buffer) blocks.push(block);
  }
  const times = {
    ts: new Array<number>(),
    plain: new Array<number>(),
    mp4: new Array<number>(),
    copy: new Array<number>(),
  };
  const once = async (format: 'mp4' | 'ts'): Promise<number> => {
    let clip: Awaited<ReturnType<typeof save>> | undefined;
    const took = await timed(async () => (clip = await save(bench, ring.snapshot('all'), format)));
    if (!clip || Math.abs(clip.seconds - secondsHeld) > 1) throw new Error('the clip is not what the ring holds');
    await rm(clip.path);
    return took;
  };
  for (let round = 0; round < ROUNDS; round++) {
    times.ts.push(await once('ts'));
    times.plain.push(await timed(async () => writeProbe(bench, blocks)));
    times.mp4.push(await once('mp4'));
    times.copy.push(await timed(async () => copyProbe(bench, file)));
  }
  const row = (name: string, values: readonly number[], base: readonly number[]): string[] => [
    name,
    ...[median(values), Math.min(...values), Math.max(...values)].map((value) => fixed(value)),
    fixed(median(values) / median(base), 2),
  ];
  say(
    `${fixed(secondsHeld, 1)} s, ${fixed(bytesHeld / 1e6)} MB, ${ROUNDS} rounds, process of ${fixed(process.memoryUsage.rss() / 1e6)} MB`,
  );
  say(
    table(
      ['save, call to verified and named file, ms', 'median', 'min', 'max', 'ratio'],
      [
        row('.ts (target 1.3)', times.ts, times.plain),
        row('  the same bytes written, synced, probed', times.plain, times.plain),
        row('.mp4 (target 1.5)', times.mp4, times.copy),
        row('  ffmpeg -c copy of a cached file, sync, probe', times.copy, times.copy),
      ],
    ),
  );
}

async function liveChunks(file: string): Promise<Uint8Array[]> {
  const bytes: Uint8Array[] = [];
  for await (const chunk of chunksOf(file)) {
    bytes.push(chunk);
    if (bytes.length >= LIVE_CHUNKS) break;
  }
  return bytes;
}

async function delays(bench: Bench, file: string): Promise<void> {
  const ring = newRing();
  await fill(ring, file);
  const bytes = await liveChunks(file);
  // the producer begins an epoch of its own: only the stretch before it is saved, again and again
  const [held] = ring.snapshot('all');
  if (!held) throw new Error('nothing held');
  const { from, to } = held;
  held.release();
  const rows: { name: string; runs: Delay[]; lost: number }[] = [];
  for (const [name, format] of [
    ['ingest alone', null],
    ['ingest while saving .ts', 'ts'],
    ['ingest while saving .mp4', 'mp4'],
  ] as const) {
    const runs: Delay[] = [];
    let lost = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const producer = produce(ring, bytes);
      runs.push(
        await delayDuring(async () => {
          if (format === null) return pause(1500);
          const saved = await save(bench, ring.snapshot({ from, to }), format);
          await rm(saved.path);
        }),
      );
      const { sent, taken } = producer.stop();
      lost += sent - taken;
    }
    rows.push({ name, runs, lost });
  }
  say(
    table(
      ['event loop held up, ms', 'p99 (target 10)', 'longest', 'bytes lost'],
      rows.map(({ name, runs, lost }) => [
        name,
        fixed(median(runs.map(({ p99 }) => p99)), 1),
        fixed(Math.max(...runs.map(({ max }) => max)), 1),
        String(lost),
      ]),
    ),
  );
}

/** The same chunks copied into blocks of the ring's size and nothing else. */
function copyChunks(chunks: readonly Uint8Array[], blocks: Uint8Array[]): void {
  let at = 0;
  let used = 0;
  for (const chunk of chunks) {
    if (used + chunk.length > BLOCK_BYTES) {
      at = (at + 1) % blocks.length;
      used = 0;
    }
    blocks[at]?.set(chunk, used);
    used += chunk.length;
  }
}

async function intake(file: string): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of chunksOf(file)) chunks.push(chunk);
  const megabytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0) / 1e6;
  const blocks = Array.from({ length: 128 }, () => new Uint8Array(BLOCK_BYTES));
  const ring = newRing();
  const written: number[] = [];
  const copied: number[] = [];
  // the first round pays for memory that is never given back: it warms both sides up
  for (let round = 0; round <= ROUNDS; round++) {
    const copyMs = await timed(() => copyChunks(chunks, blocks));
    const writeMs = await timed(() => {
      ring.beginEpoch({ sourceName: 'bench' });
      for (const chunk of chunks) ring.write(chunk);
      ring.endInput();
    });
    if (round === 0) continue;
    copied.push(copyMs);
    written.push(writeMs);
  }
  const speed = (name: string, values: readonly number[]): string[] => [
    name,
    fixed((megabytes * 1000) / median(values)),
    fixed((megabytes * 8000) / median(values)),
    fixed(median(copied) / median(values), 2),
  ];
  say(
    table(
      ['taking bytes in, 64 KiB at a time', 'MB/s', 'Mbit/s (target 400)', 'ratio'],
      [speed('ReplayRing.write, with its index', written), speed('copy into warm memory', copied)],
    ),
  );
}

async function memory(file: string): Promise<void> {
  const collect = globalThis.gc ?? ((): void => undefined);
  collect();
  const idle = process.memoryUsage.rss();
  const ring = new ReplayRing({ maxBytes: MEMORY_BYTES, maxSeconds: 100_000 });
  const marks: number[] = [];
  // each pass stands for a minute of recording, an hour in all
  for (let minute = 1; minute <= MEMORY_MINUTES; minute++) {
    await fill(ring, file);
    if (minute % (MEMORY_MINUTES / 4) === 0) {
      collect();
      marks.push(process.memoryUsage.rss() - idle);
    }
  }
  say(
    table(
      ['memory over the idle process, MB', '15 min', '30 min', '45 min', '60 min', 'limit'],
      [
        [
          `ring of ${fixed(MEMORY_BYTES / 1e6)} MB`,
          ...marks.map((bytes) => fixed(bytes / 1e6)),
          fixed((1.05 * MEMORY_BYTES) / 1e6 + 60),
        ],
      ],
    ),
  );
}

/** Ten minutes of small pictures, a keyframe a second: what a snapshot costs follows the number of groups, not of bytes. */
async function snapshots(bench: Bench): Promise<void> {
  const file = path.join(bench.folder, 'long.ts');
  const picture = 'testsrc2=size=160x90:rate=10:duration=605';
  await ffmpeg(bench, [
    ...['-f', 'lavfi', '-i', picture, '-c:v', 'libx264', '-preset', 'ultrafast'],
    ...['-g', '10', file],
  ]);
  const ring = new ReplayRing({ maxBytes: 512 * MIB, maxSeconds: 600 });
  await fill(ring, file);
  const times: number[] = [];
  for (let round = 0; round < 101; round++) {
    const from = performance.now();
    const taken = ring.snapshot('all');
    times.push(performance.now() - from);
    for (const snapshot of taken) snapshot.release();
  }
  say(
    table(
      ['snapshot of everything, ms', 'median', 'max', 'target'],
      [
        [
          `about ${fixed(ring.status().secondsHeld)} groups of pictures`,
          fixed(median(times), 3),
          fixed(Math.max(...times), 3),
          '1',
        ],
      ],
    ),
  );
}

/** What the crash-safe option costs: processor time and held-up loop under a live producer, without and with it. */
async function mirrored(bench: Bench, bytes: readonly Uint8Array[]): Promise<void> {
  const ring = new MirroredRing({ maxBytes: 512 * MIB, maxSeconds: 2 * SECONDS });
  const log = pino({ level: 'silent' });
  const mirror = new Mirror({ ring, folder: path.join(bench.folder, 'mirror'), log, onChange: () => undefined });
  const rows: string[][] = [];
  for (const on of [false, true, false, true]) {
    await mirror.set(on, 512 * MIB);
    const producer = produce(ring, bytes);
    const before = process.cpuUsage();
    const delay = await delayDuring(async () => pause(MIRROR_MS));
    const { user, system } = process.cpuUsage(before);
    const { sent, taken } = producer.stop();
    rows.push([
      on ? 'mirrored to disk' : 'memory only',
      fixed((user + system) / 10 / MIRROR_MS, 1),
      fixed(delay.p99, 1),
      fixed(delay.max, 1),
      String(sent - taken),
    ]);
  }
  await mirror.close();
  say(table(['live producer of 52 Mbit/s', '% of a core', 'p99, ms', 'longest, ms', 'bytes lost'], rows));
}

const newRing = (): ReplayRing => new ReplayRing({ maxBytes: 512 * MIB, maxSeconds: 2 * SECONDS });

await runBench(async (bench) => {
  const file = await makeStream(bench, bench.seconds ?? SECONDS);
  // the memory first: what later parts leave behind would count as idle
  await memory(file);
  await saves(bench, file);
  await snapshots(bench);
  await delays(bench, file);
  await mirrored(bench, await liveChunks(file));
  await intake(file);
});
