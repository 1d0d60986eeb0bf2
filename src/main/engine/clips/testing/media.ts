import assert from 'node:assert/strict';
import { z } from 'zod';
import { locateFfmpeg, type Ffmpeg } from '../../ffmpeg/locate.ts';
import { runToEnd } from '../../process/child.ts';
import { ReplayRing } from '../../replay/ring.ts';
import { pino } from 'pino';

export const quiet = pino({ level: 'silent' });
export const FPS = 30;

let found: Promise<Ffmpeg> | undefined;
export const ffmpegTools = async (): Promise<Ffmpeg> => (found ??= locateFfmpeg(process.env, quiet));

async function output(program: 'ffmpeg' | 'ffprobe', args: readonly string[]): Promise<string> {
  const tools = await ffmpegTools();
  const { code, stdout, stderr } = await runToEnd(tools[program], ['-v', 'error', ...args], {
    timeoutMs: 60_000,
    maxOutputBytes: 64 * 1024 * 1024,
  });
  assert.deepEqual({ code, stderr: stderr.filter((line) => line.trim() !== '') }, { code: 0, stderr: [] });
  return stdout.toString('latin1');
}

/**
 * MPEG-TS as the capture writes it (H.264, no B-frames, AAC), or with B-frames, or HEVC with open groups. Every picture of testsrc2
 * differs from every other, so a decoded picture tells which one it is.
 */
export async function encodeStream(kind: 'capture' | 'bframes' | 'hevc', seconds: number): Promise<Buffer> {
  const coder = {
    capture: '-c:v libx264 -preset ultrafast -tune zerolatency -g 30',
    bframes: '-c:v libx264 -preset veryfast -g 30',
    hevc: '-c:v libx265 -preset ultrafast -x265-params keyint=30:min-keyint=30:log-level=error',
  }[kind];
  const tools = await ffmpegTools();
  const { code, stdout, stderr } = await runToEnd(
    tools.ffmpeg,
    [
      ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=${FPS}:duration=${seconds}`],
      ...['-f', 'lavfi', '-i', `sine=frequency=440:beep_factor=4:sample_rate=48000:duration=${seconds}`],
      ...['-map', '0:v', '-map', '1:a', ...coder.split(' '), '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '96k'],
      ...['-f', 'mpegts', '-mpegts_flags', '+resend_headers', '-omit_video_pes_length', '0', 'pipe:1'],
    ],
    { timeoutMs: 60_000, maxOutputBytes: 64 * 1024 * 1024 },
  );
  assert.equal(code, 0, stderr.join('\n'));
  return stdout;
}

export function ringWith(stream: Uint8Array, now = 1000): ReplayRing {
  const ring = new ReplayRing({ maxBytes: 64 * 1024 * 1024, maxSeconds: 3600, now: () => now });
  ring.beginEpoch({ sourceName: 'Test' });
  ring.write(stream);
  ring.endInput();
  return ring;
}

/** A hash of every decoded picture in the order shown; a strict decode, so an error anywhere fails. */
export async function pictures(file: string): Promise<string[]> {
  const text = await output('ffmpeg', [
    '-xerror',
    '-i',
    file,
    '-map',
    '0:v:0',
    '-fps_mode',
    'passthrough',
    '-f',
    'framemd5',
    '-',
  ]);
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').at(-1)?.trim() ?? '');
}

const Probed = z.object({
  streams: z.array(
    z.object({
      codec_type: z.string(),
      codec_name: z.string().optional(),
      codec_tag_string: z.string().optional(),
      start_time: z.coerce.number().optional(),
      duration: z.coerce.number().optional(),
      width: z.int().optional(),
      r_frame_rate: z.string().optional(),
    }),
  ),
  chapters: z.array(
    z.object({
      start_time: z.coerce.number(),
      end_time: z.coerce.number(),
      tags: z.object({ title: z.string() }),
    }),
  ),
  format: z.object({ duration: z.coerce.number(), format_name: z.string() }),
});

export const probed = async (file: string): Promise<z.infer<typeof Probed>> =>
  Probed.parse(
    JSON.parse(await output('ffprobe', ['-of', 'json', '-show_streams', '-show_format', '-show_chapters', file])),
  );

/** Presentation times of the packets of one kind, seconds, as the demuxer tells them (edit lists taken into account). */
export async function packetTimes(file: string, kind: 'v' | 'a'): Promise<number[]> {
  const args = ['-select_streams', `${kind}:0`, '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file];
  const text = await output('ffprobe', args);
  return text
    .split('\n')
    .map((line) => Number.parseFloat(line))
    .filter((time) => !Number.isNaN(time));
}
