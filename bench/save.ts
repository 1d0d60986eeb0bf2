/**
 * Saving 60 s at a high bitrate (about 370 MB): from the call to the answer, beside `ffmpeg -c copy` of the same bytes from a cached
 * file with fsync and ffprobe; how long the event loop is held up meanwhile; and how fast the ring takes bytes in, beside a plain copy.
 */
import { createReadStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { probeClip } from '../src/main/engine/clips/probe.ts';
import { syncFile } from '../src/main/engine/clips/publish-file.ts';
import { saveFile } from '../src/main/engine/clips/save.ts';
import { runToEnd } from '../src/main/engine/process/child.ts';
import { ReplayRing } from '../src/main/engine/replay/ring.ts';
import { runBench, say, type Bench } from './support/bench.ts';
import { fixed, median, percentile, table } from './support/figures.ts';

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

/** Everything the ring holds as one verified clip, the way the studio saves it. */
async function save(bench: Bench, ring: ReplayRing, folder: string): Promise<{ path: string; seconds: number }> {
  const [snapshot, more] = ring.snapshot('all');
  if (!snapshot || more) throw new Error('the ring holds more than one stretch');
  const { saved } = await saveFile({
    ...{ snapshot, start: null, format: 'mp4', folder, marks: [] },
    tools: async () => Promise.resolve(bench.tools),
    now: () => Date.now() / 1000,
    signal: new AbortController().signal,
    onBytes: () => undefined,
    onWritten: () => undefined,
  });
  snapshot.release();
  return saved;
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

const newRing = (): ReplayRing => new ReplayRing({ maxBytes: 512 * MIB, maxSeconds: 2 * SECONDS });

function fill(ring: ReplayRing, bytes: Uint8Array): void {
  ring.beginEpoch({ sourceName: 'bench' });
  for (const chunk of chunksOf(bytes)) ring.write(chunk);
  ring.endInput();
}

/** The same chunks copied into blocks of the ring's size and nothing else. */
function copy(bytes: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  let block = new Uint8Array(0);
  let used = 0;
  for (const chunk of chunksOf(bytes)) {
    if (used + chunk.length > block.length) {
      block = new Uint8Array(new ArrayBuffer(BLOCK_BYTES));
      blocks.push(block);
      used = 0;
    }
    block.set(chunk, used);
    used += chunk.length;
  }
  return blocks;
}

const timed = async (work: () => unknown): Promise<number> => {
  const from = performance.now();
  await work();
  return performance.now() - from;
};

await runBench(async (bench) => {
  const file = await makeStream(bench, bench.seconds ?? SECONDS);

  // filled from the file in passing: what this process holds besides the ring would make every start of a child slower (fork copies
  // its page tables), and the studio holds nothing besides
  const ring = newRing();
  ring.beginEpoch({ sourceName: 'bench' });
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    if (chunk instanceof Buffer) ring.write(chunk);
  }
  ring.endInput();
  const { secondsHeld } = ring.status();
  const clips = path.join(bench.folder, 'clips');
  const saves: number[] = [];
  const copies: number[] = [];
  const delays: { p99: number; max: number }[] = [];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  for (let round = 0; round < ROUNDS; round++) {
    delay.enable();
    delay.reset();
    const from = performance.now();
    const clip = await save(bench, ring, clips);
    saves.push(performance.now() - from);
    delay.disable();
    delays.push({ p99: delay.percentile(99) / NANOSECONDS_PER_MS, max: delay.max / NANOSECONDS_PER_MS });
    if (Math.abs(clip.seconds - secondsHeld) > 1) throw new Error(`${clip.seconds} s saved of ${secondsHeld} s held`);
    await rm(clip.path);

    const target = path.join(bench.folder, 'copy.mp4');
    copies.push(
      await timed(async () => {
        await ffmpeg(bench, ['-i', file, '-map', '0:v:0', '-map', '0:a?', '-c', 'copy', target]);
        await syncFile(target);
        await probeClip(bench.tools, target);
      }),
    );
    await rm(target);
  }
  const resident = process.memoryUsage.rss();
  ring.clear();

  const bytes = await readFile(file);
  const ingest: number[] = [];
  const copied: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    copied.push(await timed(() => copy(bytes)));
    ingest.push(await timed(() => fill(newRing(), bytes)));
  }
  const megabytes = bytes.length / 1e6;

  const ms = (name: string, values: readonly number[]): string[] => [
    name,
    ...[median(values), Math.min(...values), Math.max(...values)].map((value) => fixed(value)),
    fixed(median(values) / median(copies), 2),
  ];
  const speed = (name: string, values: readonly number[]): string[] => [
    name,
    fixed((megabytes * 1000) / median(values)),
    fixed(median(copied) / median(values), 2),
  ];
  say(
    [
      `${fixed(secondsHeld, 1)} s, ${fixed(megabytes)} MB, ${fixed((megabytes * 8) / secondsHeld)} Mbit/s, ${ROUNDS} rounds, process of ${fixed(resident / 1e6)} MB`,
      table(
        ['save, ms', 'median', 'min', 'max', 'ratio'],
        [
          ms('ring to verified clip, answer with sha256', saves),
          ms('ffmpeg -c copy of a cached file, fsync, ffprobe', copies),
        ],
      ),
      '',
      table(
        ['event loop delay while saving, ms', 'median', 'max'],
        [
          ['p99', ...summary(delays.map(({ p99 }) => p99))],
          ['longest', ...summary(delays.map(({ max }) => max))],
        ],
      ),
      '',
      table(
        ['taking bytes in, 64 KiB at a time', 'MB/s', 'ratio'],
        [speed('ReplayRing.write', ingest), speed('copy into fresh memory', copied)],
      ),
    ].join('\n'),
  );
});

function summary(values: readonly number[]): string[] {
  return [median(values), percentile(values, 1)].map((value) => fixed(value, 1));
}
