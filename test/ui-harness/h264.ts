import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { encodePreviewFrame } from '../../src/contract/preview.ts';

const run = promisify(execFile);

/** Runs ffmpeg to its end and answers with what it wrote on stdout. */
export async function ffmpegBytes(args: readonly string[]): Promise<Buffer> {
  const { stdout } = await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args], {
    encoding: 'buffer',
    maxBuffer: 256 * 1024 * 1024,
    timeout: 60_000,
  });
  return stdout;
}

type Nal = { type: number; start: number; payload: number };

/** NAL units of an Annex B stream (Rec. ITU-T H.264 B.1): where the start code begins and where the header byte is. */
function* nalUnits(stream: Uint8Array): Generator<Nal> {
  for (let at = 0; at + 3 < stream.length; at++) {
    if (stream[at] !== 0 || stream[at + 1] !== 0 || stream[at + 2] !== 1) continue;
    const start = at > 0 && stream[at - 1] === 0 ? at - 1 : at;
    yield { type: (stream[at + 3] ?? 0) & 0x1f, start, payload: at + 3 };
    at += 3;
  }
}

/** Real pictures by libx264 with the settings of the product, as frames of the preview lane: a keyframe each second. */
export async function previewFrames(options: { size: string; fps: number; seconds: number }): Promise<Uint8Array[]> {
  const { size, fps, seconds } = options;
  const stream = await ffmpegBytes([
    ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}:duration=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', String(fps)],
    ...['-bsf:v', 'h264_metadata=aud=insert', '-f', 'h264', 'pipe:1'],
  ]);
  const [width = 0, height = 0] = size.split('x').map(Number);
  const units = [...nalUnits(stream)];
  const starts = units.filter(({ type }) => type === 9).map(({ start }) => start);
  let profile: readonly [number, number, number] = [0, 0, 0];
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? stream.length;
    const inside = units.filter((unit) => unit.start >= start && unit.start < end);
    const sps = inside.find(({ type }) => type === 7);
    if (sps) {
      const [, idc = 0, constraints = 0, level = 0] = stream.subarray(sps.payload, sps.payload + 4);
      profile = [idc, constraints, level];
    }
    return encodePreviewFrame({
      keyframe: inside.some(({ type }) => type === 5),
      discontinuity: index === 0,
      profile,
      timestampMicros: Math.round((index * 1_000_000) / fps),
      width,
      height,
      data: stream.subarray(start, end),
    });
  });
}
