import { expect } from 'vitest';
import { z } from 'zod';
import { run } from './processes.ts';

/** A decoded picture; colours are 0xRRGGBB. */
export type Picture = {
  readonly width: number;
  readonly height: number;
  /** `x` and `y` are fractions of the picture, 0 to 1 */
  at(x: number, y: number): number;
};

/** Decodes one picture with ffmpeg: of an encoded image in memory, or of a video file (`fromEnd`: seconds before its end). */
export async function pictureOf(input: Uint8Array | string, { fromEnd }: { fromEnd?: number } = {}): Promise<Picture> {
  const seek = fromEnd === undefined ? [] : ['-sseof', String(-fromEnd)];
  const source = typeof input === 'string' ? input : 'pipe:0';
  const { code, stdout, stderr } = await run(
    'ffmpeg',
    ['-v', 'error', ...seek, '-i', source, '-frames:v', '1', '-f', 'image2pipe', '-c:v', 'ppm', 'pipe:1'],
    typeof input === 'string' ? {} : { input },
  );
  const header = /^P6\s(\d+)\s(\d+)\s255\s/.exec(stdout.subarray(0, 64).toString('latin1'));
  if (code !== 0 || !header) throw new Error(`no picture in it: ${stderr}`);
  const [width, height] = [Number(header[1]), Number(header[2])];
  const pixels = stdout.subarray(header[0].length);
  return {
    width,
    height,
    at(x, y) {
      const column = Math.min(width - 1, Math.floor(x * width));
      const row = Math.min(height - 1, Math.floor(y * height));
      return pixels.readUIntBE((row * width + column) * 3, 3);
    },
  };
}

const channels = (colour: number): number[] => [colour >> 16, (colour >> 8) & 0xff, colour & 0xff];

/** The largest difference of a channel, 0 to 255. */
export const difference = (a: number, b: number): number =>
  Math.max(...channels(a).map((value, index) => Math.abs(value - (channels(b)[index] ?? 0))));

/** Rounding costs up to 3 (measured); a picture read with the wrong matrix is up to 39 off. */
export const COLOUR_TOLERANCE = 10;

export function expectColour(actual: number, wanted: number, what: string): void {
  const hex = (colour: number): string => `#${colour.toString(16).padStart(6, '0')}`;
  expect(difference(actual, wanted), `${what} is ${hex(actual)}, wanted ${hex(wanted)}`).toBeLessThanOrEqual(
    COLOUR_TOLERANCE,
  );
}

/** A clip that a strict decoder takes from its first packet, a keyframe, to its end. */
export async function expectCleanClip(file: string): Promise<void> {
  const decoded = await run('ffmpeg', ['-v', 'error', '-xerror', '-i', file, '-f', 'null', '-'], { timeoutMs: 60_000 });
  expect({ code: decoded.code, stderr: decoded.stderr }, file).toEqual({ code: 0, stderr: '' });
  const first = await run('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v:0', '-read_intervals', '%+#1'],
    ...['-show_entries', 'packet=flags', '-of', 'csv=p=0', file],
  ]);
  expect(first.stdout.toString('latin1'), `first packet of ${file}`).toMatch(/^K/);
}

const Probe = z.object({
  streams: z.array(
    z.object({
      codec_type: z.string(),
      codec_name: z.string(),
      width: z.int().optional(),
      height: z.int().optional(),
    }),
  ),
});

/** The streams ffprobe finds in a file or at an address. */
export async function streamsOf(address: string): Promise<z.infer<typeof Probe>['streams']> {
  const { stdout, stderr } = await run('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', address], {
    timeoutMs: 20_000,
  });
  const text = stdout.toString('utf8');
  if (text.trim() === '') throw new Error(`ffprobe found nothing at ${address}: ${stderr}`);
  return Probe.parse(JSON.parse(text)).streams;
}
