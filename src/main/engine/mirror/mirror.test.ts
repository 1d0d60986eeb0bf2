import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ReplaySnapshot } from '../clips/save.ts';
import { runToEnd } from '../process/child.ts';
import { ReplayRing } from '../replay/ring.ts';
import { StreamBuilder, cutAt, joined } from '../replay/testing/stream.ts';
import { TS_PACKET_BYTES, pidOf } from '../transport/packet.ts';
import { marksName, segmentName } from './layout.ts';
import { readLeftover } from './leftover.ts';
import { MirroredRing } from './mirrored-ring.ts';
import { MirrorWriter, type MirrorFile, type OpenFile } from './writer.ts';

/** Two seconds of libx264 and AAC in MPEG-TS as ffmpeg's muxer writes it, a keyframe every half second. */
const FIXTURE = readFileSync(path.join(import.meta.dirname, '../../../../test/fixtures/ts/h264-aac.ts'));
const never = new AbortController().signal;

async function scratch(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pitwall-mirror-'));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

type Bench = { ring: MirroredRing; writer: MirrorWriter; folder: string; troubles: unknown[] };

async function bench(
  over: { maxBytes?: number; queueBytes?: number; openFile?: OpenFile; now?: () => number; folder?: string } = {},
): Promise<Bench> {
  const { maxBytes = 64 * 1024 * 1024, now = () => 1000, folder = path.join(await scratch(), 'run'), ...rest } = over;
  const ring = new MirroredRing({ maxBytes, maxSeconds: 3600, now });
  const troubles: unknown[] = [];
  const writer = new MirrorWriter({
    ...{ folder, maxBytes, now },
    ...rest,
    ringStart: () => ring.oldestOffset,
    ringEnd: () => ring.oldestOffset + ring.status().bytesHeld,
    onTrouble: (error) => troubles.push(error),
  });
  onTestFinished(async () => writer.close());
  ring.writer = writer;
  return { ring, writer, folder, troubles };
}

const bytesOf = (snapshots: readonly Pick<ReplaySnapshot, 'chunks'>[]): Uint8Array[] =>
  snapshots.map((snapshot) => joined(snapshot.chunks()));
const TABLES = [0, 0x11, 0x1000];
const isTable = (bytes: Uint8Array, p: number): boolean => TABLES.includes(pidOf(bytes, p));
/**
 * Pictures and sound in a form whose difference can be read. Tables are left out: the ring puts in its own where it has not kept the
 * stream's, and theirs may come last.
 */
const digests = (parts: readonly Uint8Array[]): string[] =>
  parts.map((bytes) => {
    const packets = Array.from({ length: bytes.length / TS_PACKET_BYTES }, (_, i) => i * TS_PACKET_BYTES);
    const media = packets.filter((p) => !isTable(bytes, p));
    const hash = createHash('sha1');
    for (const p of media) hash.update(bytes.subarray(p, p + TS_PACKET_BYTES));
    return `${media.length} packets, tables first: ${isTable(bytes, 0)}, ${hash.digest('hex')}`;
  });
const expectSame = (found: readonly Uint8Array[], held: readonly Uint8Array[]): void =>
  expect(digests(found)).toEqual(digests(held));
const left = async (folder: string): Promise<readonly ReplaySnapshot[]> =>
  (await readLeftover(folder, never)).snapshots;

/** What a ring would hold of these bytes had they just stopped coming: the oracle. */
function heldOf(...streams: readonly Uint8Array[]): Uint8Array[] {
  const ring = new ReplayRing({ maxBytes: 64 * 1024 * 1024, maxSeconds: 3600, now: () => 1000 });
  for (const stream of streams) {
    ring.beginEpoch({ sourceName: 'Game' });
    ring.write(stream);
  }
  return bytesOf(ring.snapshot('all'));
}

describe('what is read back is what the ring held', () => {
  test('several epochs, bytes cut anywhere, sources and times', async () => {
    let clock = 1000;
    const { ring, writer, folder } = await bench({ now: () => clock });
    ring.beginEpoch({ sourceName: 'Game' });
    for (const chunk of cutAt(FIXTURE, [1, 187, 188, 189, 5000])) ring.write(chunk);
    await writer.settled();
    clock = 2000;
    ring.beginEpoch({ sourceName: 'Other' });
    for (const chunk of cutAt(FIXTURE, [70_000])) ring.write(chunk);
    await writer.settled();

    const [held, found] = [ring.snapshot('all'), await left(folder)];
    expect(held).toHaveLength(2);
    expectSame(bytesOf(found), bytesOf(held));
    const facts = ({ codec, sourceName, from, to, seconds, bytes, width, height }: ReplaySnapshot): object => ({
      ...{ codec, sourceName, bytes, width, height },
      ...{ from: from.toFixed(3), to: to.toFixed(3), seconds: seconds.toFixed(3) },
    });
    expect(found.map(facts)).toEqual(held.map(facts));
  });

  test('another program or another parameter set within a stream begins another stretch', async () => {
    const { ring, writer, folder } = await bench();
    const stream = new StreamBuilder().run(60, { told: true });
    stream
      .psi()
      .video({ key: true, pts: 60 * 3000, spsByte: 0x89, told: true })
      .video({ pts: 61 * 3000, told: true });
    stream.run(30, { from: 20 * 90_000, told: true });
    ring.beginEpoch({ sourceName: 'Game' });
    ring.write(stream.take());
    await writer.settled();
    const held = ring.snapshot('all');
    expect(held).toHaveLength(3);
    expectSame(bytesOf(await left(folder)), bytesOf(held));
  });

  test('the torn tail is left out, wherever it was torn', async () => {
    const { ring, writer, folder } = await bench();
    ring.beginEpoch({ sourceName: 'Game' });
    ring.write(FIXTURE);
    await writer.settled();
    const file = path.join(folder, segmentName(1));
    const whole = await readFile(file);
    expect(whole.length).toBe(FIXTURE.length - (FIXTURE.length % TS_PACKET_BYTES));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (length) => {
        await writeFile(file, whole.subarray(0, length));
        expectSame(bytesOf(await left(folder)), heldOf(whole.subarray(0, length)));
      }),
      { numRuns: 150 },
    );
  });

  test('a tear in the lines of times costs times only', async () => {
    const { ring, writer, folder } = await bench();
    ring.beginEpoch({ sourceName: 'Game' });
    ring.write(FIXTURE);
    await writer.settled();
    const marks = path.join(folder, marksName(1));
    const { size } = await stat(marks);
    await truncate(marks, size - 5);
    expectSame(bytesOf(await left(folder)), heldOf(FIXTURE));
    await rm(marks);
    const [found] = await left(folder);
    expectSame(bytesOf(found ? [found] : []), heldOf(FIXTURE));
    expect(Math.abs((found?.from ?? 0) - Date.now() / 1000)).toBeLessThan(60); // the file's own time
  });

  test('damage of any kind never throws, and no damaged packet is inside a stretch', async () => {
    const { ring, writer, folder } = await bench();
    ring.beginEpoch({ sourceName: 'Game' });
    ring.write(FIXTURE);
    await writer.settled();
    const file = path.join(folder, segmentName(1));
    const whole = await readFile(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 20_000 }), async (from, count) => {
        // a power cut may leave zeros where bytes were
        await writeFile(file, Buffer.from(whole).fill(0, from, Math.min(whole.length, from + count)));
        for (const bytes of bytesOf(await left(folder))) {
          expect(bytes.length % TS_PACKET_BYTES).toBe(0);
          for (let p = 0; p < bytes.length; p += TS_PACKET_BYTES) expect(bytes[p]).toBe(0x47);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('a lost segment in the middle parts the stretches', async () => {
    let clock = 1000;
    const { ring, writer, folder } = await bench({ now: () => clock });
    ring.beginEpoch({ sourceName: 'Game' });
    const stream = new StreamBuilder();
    for (let second = 0; second < 18; second += 1) {
      ring.write(stream.run(30, { from: second * 90_000, told: true }).take());
      await writer.settled();
      clock += 1;
    }
    const names = (await readdir(folder)).filter((name) => name.endsWith('.ts'));
    expect(names.length).toBeGreaterThanOrEqual(4);
    expect((await left(folder)).map(({ seconds }) => Math.round(seconds))).toEqual([18]);
    await rm(path.join(folder, segmentName(2)));
    const found = await left(folder);
    expect(found.map(({ seconds }) => Math.round(seconds))).toEqual([4, 10]);
    expect(found.map(({ sourceName }) => sourceName)).toEqual(['Game', 'Game']);
    expect(found[1]?.from).toBeCloseTo(1008, 1);
  });
});

describe('bounds', () => {
  test('the files follow the ring: nothing it holds is missing, nothing much older stays', async () => {
    let clock = 1000;
    const maxBytes = 2 * 1024 * 1024;
    const { ring, writer, folder } = await bench({ maxBytes, now: () => clock });
    ring.beginEpoch({ sourceName: 'Game' });
    const stream = new StreamBuilder();
    for (let second = 0; second < 60; second += 1) {
      ring.write(stream.run(30, { from: second * 90_000, size: 4000, told: true }).take());
      await writer.settled();
      clock += 1;
      expect(writer.bytesOnDisk).toBeLessThanOrEqual(maxBytes * 1.25);
    }
    const [held] = bytesOf(ring.snapshot('all'));
    const [found] = bytesOf(await left(folder));
    expect(held?.length).toBeGreaterThan(maxBytes / 2);
    expect(Buffer.from(found ?? []).includes(Buffer.from(held ?? [0]))).toBe(true);
    expect(writer.allocatedBytes).toBeLessThanOrEqual(1024 * 1024);
  });

  test('cleared means cleared', async () => {
    const { ring, writer, folder } = await bench();
    ring.beginEpoch({ sourceName: 'Game' });
    ring.write(FIXTURE);
    await writer.settled();
    ring.clear();
    await writer.settled();
    expect(await readdir(folder)).toEqual([]);
    const stream = new StreamBuilder().run(60, { told: true });
    ring.write(stream.take());
    await writer.settled();
    expectSame(bytesOf(await left(folder)), bytesOf(ring.snapshot('all')));
  });

  test('a clean end leaves nothing', async () => {
    const { ring, writer, folder } = await bench();
    ring.write(FIXTURE);
    await writer.close();
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
    ring.write(FIXTURE);
    await writer.settled();
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

type Disk = { openFile: OpenFile; hold(): void; letGo(): void; fail: Error | null; written: number; synced: number };

/** Files in memory whose writes wait or fail as the test says. */
function disk(): Disk {
  let gate: Promise<void> = Promise.resolve();
  let letGo = (): void => undefined;
  const state: Disk = {
    fail: null,
    written: 0,
    synced: 0,
    hold: (): void => {
      gate = new Promise((resolve) => (letGo = resolve));
    },
    letGo: (): void => letGo(),
    openFile: async (): Promise<MirrorFile> =>
      Promise.resolve({
        write: async (bytes) => {
          await gate;
          if (state.fail !== null) throw state.fail;
          state.written += bytes.length;
        },
        datasync: async () => {
          await gate;
          state.synced = state.written;
        },
        close: async () => Promise.resolve(),
      }),
  };
  return state;
}

describe('a disk that cannot keep up', () => {
  test('holds back no more than its bound, drops the rest, and the ring never waits', async () => {
    const slow = disk();
    const { ring, writer } = await bench({ openFile: slow.openFile, queueBytes: 1024 * 1024 });
    slow.hold();
    ring.beginEpoch({ sourceName: 'Game' });
    const second = new StreamBuilder().run(30, { size: 20_000, told: true }).take();
    for (let i = 0; i < 20; i += 1) ring.write(second);
    expect(ring.totalBytes).toBe(20 * second.length);
    expect(writer.dropping).toBe(true);
    expect(writer.allocatedBytes).toBeLessThanOrEqual(1024 * 1024);
    expect(writer.droppedBytes).toBeGreaterThan(10 * second.length);
    slow.letGo();
    await writer.settled();
    expect(writer.dropping).toBe(false);
    const before = slow.written;
    ring.write(second);
    await writer.settled();
    expect(writer.dropping).toBe(false);
    expect(slow.written).toBeGreaterThanOrEqual(before + second.length);
  });

  test('what was written last is made durable within a second or so, also when nothing more comes', async () => {
    const sound = disk();
    const { ring, writer } = await bench({ openFile: sound.openFile });
    ring.beginEpoch({ sourceName: 'Game' });
    ring.write(FIXTURE);
    await writer.settled();
    expect(sound.written).toBeGreaterThan(FIXTURE.length - TS_PACKET_BYTES);
    await expect.poll(() => sound.synced, { timeout: 3000 }).toBe(sound.written);
  });

  test('a full disk is told once; it goes on by itself when there is room', async () => {
    let clock = 1000;
    const full = disk();
    const { ring, writer, troubles } = await bench({ openFile: full.openFile, now: () => clock });
    const second = new StreamBuilder().run(30, { told: true }).take();
    const noRoom = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    full.fail = noRoom;
    ring.beginEpoch({ sourceName: 'Game' });
    for (let i = 0; i < 25; i += 1) {
      ring.write(second);
      await writer.settled();
      clock += 1;
    }
    expect(troubles).toEqual([noRoom]);
    full.fail = null;
    clock += 10;
    ring.write(second);
    await writer.settled();
    expect(troubles).toEqual([noRoom, null]);
    expect(full.written).toBeGreaterThanOrEqual(second.length);
  });
});

test('a disk that fills up: the ring keeps all, what fitted can be recovered', async ({ skip }) => {
  const small = path.join(await scratch(), 'small disk');
  await mkdir(small);
  const mounted = await runToEnd('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small], { timeoutMs: 10_000 });
  if (mounted.code !== 0) {
    process.stdout.write('skipped: a small disk needs the right to mount\n');
    skip();
  }
  onTestFinished(async () => {
    expect((await runToEnd('umount', ['-l', small], { timeoutMs: 10_000 })).code).toBe(0);
  });
  const { ring, writer, folder, troubles } = await bench({ folder: path.join(small, 'run') });
  ring.beginEpoch({ sourceName: 'Game' });
  const stream = new StreamBuilder();
  for (let second = 0; second < 20; second += 1) {
    ring.write(stream.run(30, { from: second * 90_000, size: 4000, told: true }).take());
    await writer.settled();
  }
  expect(troubles).toMatchObject([{ code: 'ENOSPC' }]);
  expect(ring.status().secondsHeld).toBeCloseTo(20, 1);
  const [found] = bytesOf(await left(folder));
  const [held] = bytesOf(ring.snapshot('all'));
  expect(found?.length).toBeGreaterThan(800_000);
  expect(Buffer.from(held ?? []).includes(Buffer.from(found ?? [0]))).toBe(true);
  await writer.close();
  expect(await readdir(small)).toEqual([]);
});
