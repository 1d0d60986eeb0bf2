import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { run } from '../../../../../test/support/processes.ts';
import { until } from '../../../../../test/support/wait.ts';
import { RtmpPull } from './pull.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'pitwall-pull-'));
});
afterAll(async () => rm(folder, { recursive: true }));

/** An FLV tag with its size behind it (Adobe FLV 10.1, annex E). */
function tag(at: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(11 + body.length + 4);
  bytes[0] = 9;
  bytes.writeUIntBE(body.length, 1, 3);
  bytes.writeUIntBE(at, 4, 3);
  body.copy(bytes, 11);
  bytes.writeUInt32BE(11 + body.length, 11 + body.length);
  return bytes;
}

/** HEVC of enhanced RTMP v1: 0x90 a keyframe's sequence start, 0x93 and 0xa3 coded pictures without composition time. */
const enhancedHevc = (): Buffer =>
  Buffer.concat([
    Buffer.from([0x46, 0x4c, 0x56, 1, 1, 0, 0, 0, 9, 0, 0, 0, 0]),
    tag(0, Buffer.concat([Buffer.from([0x90]), Buffer.from('hvc1'), Buffer.alloc(40, 1)])),
    ...Array.from({ length: 60 }, (_, i) =>
      tag(
        i * 33,
        Buffer.concat([Buffer.from([i % 30 === 0 ? 0x93 : 0xa3]), Buffer.from('hvc1'), Buffer.alloc(200, i)]),
      ),
    ),
  ]);

/** Reads a file as if somebody published it, once. */
async function pull(file: string) {
  const { stdout } = await run('ffmpeg', ['-hide_banner', '-version']);
  const version = /version (\S+)/.exec(stdout.toString())?.[1] ?? '';
  const chunks: Buffer[] = [];
  const events: string[] = [];
  let there = true;
  const reader = new RtmpPull({
    publisher: () => (there ? { id: 'a', path: '/live/x', address: '', since: 0, own: false } : undefined),
    readUrl: () => file,
    ffmpeg: async () => Promise.resolve({ ffmpeg: 'ffmpeg', version }),
    log: pino({ level: 'silent' }),
    onChange: () => undefined,
  });
  const detach = reader.attach({
    begin: () => void events.push('begin'),
    data: (chunk) => void chunks.push(Buffer.from(chunk)),
    end: () => {
      events.push('end');
      there = false;
    },
  });
  onTestFinished(async () => {
    detach();
    await reader.idle();
  });
  return { reader, events, bytes: () => Buffer.concat(chunks) };
}

it.each(['aac', 'libmp3lame'])('H.264 with %s becomes one stream of MPEG-TS with AAC', async (codec) => {
  const file = path.join(folder, `${codec}.flv`);
  const made = await run('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=30', '-f', 'lavfi', '-i', 'sine'],
    ...['-t', '2', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-c:a', codec, '-ar', '44100', file],
  ]);
  expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: '' });
  const { events, bytes } = await pull(file);
  await until('the end', 10_000, () => events.length >= 2);
  expect(events).toEqual(['begin', 'end']);
  expect(bytes().length % 188).toBe(0);
  const probed = await run('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', '-'], {
    input: bytes(),
  });
  expect([...new Set(probed.stdout.toString().trim().split(/\s+/))].sort()).toEqual(['aac', 'h264']);
});

it('HEVC of enhanced RTMP is told in a sentence where this ffmpeg cannot read it', async () => {
  const file = path.join(folder, 'hevc.flv');
  await writeFile(file, enhancedHevc());
  const { reader, events } = await pull(file);
  await until('a problem', 10_000, () => reader.problem !== undefined);
  expect(reader.problem?.code).toBe('input-unreadable');
  expect(reader.problem?.message).toContain('/live/x');
  expect(events).toEqual([]);
});
