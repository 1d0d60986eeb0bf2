import { z } from 'zod';
import { ClipCodec, StudioError } from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { runToEnd } from '../process/child.ts';
import { ffmpegGone } from './remux.ts';

const Probe = z.object({
  streams: z.array(
    z.looseObject({
      codec_type: z.string(),
      codec_name: z.string().optional(),
      width: z.int().optional(),
      height: z.int().optional(),
      duration: z.coerce.number().optional(),
    }),
  ),
  format: z.looseObject({ duration: z.coerce.number(), size: z.coerce.number() }),
  packets: z.array(z.looseObject({ flags: z.string(), pts_time: z.coerce.number().optional() })).default([]),
});

/** What ffprobe says of a finished file. */
export type ClipFacts = {
  codec: ClipCodec;
  width: number;
  height: number;
  /** of the video track */
  seconds: number;
  bytes: number;
  startsWithKeyframe: boolean;
  hasAudio: boolean;
};

/** Errors: `save-failed` when the file does not open as a video; `ffmpeg-missing` when ffprobe cannot be started. */
export async function probeClip(tools: Ffmpeg, file: string, signal?: AbortSignal): Promise<ClipFacts> {
  const plain = ['-v', 'error', '-of', 'json'];
  const [streams, packets] = await Promise.all([
    ask(tools, [...plain, '-show_streams', '-show_format', '-i', file], signal),
    // the first packet alone: enough to see that the clip begins with a whole picture
    ask(tools, [...plain, '-select_streams', 'v:0', '-show_packets', '-read_intervals', '%+#1', '-i', file], signal),
  ]);
  const parsed = Probe.safeParse({ ...streams, ...packets });
  const video = parsed.data?.streams.find((stream) => stream.codec_type === 'video');
  const codec = ClipCodec.safeParse(video?.codec_name);
  if (!parsed.success || !video || !codec.success) {
    throw new StudioError('save-failed', 'The saved file did not open as a video.', 'The replay is kept; save again.', {
      cause: parsed.error,
    });
  }
  return {
    codec: codec.data,
    width: video.width ?? 0,
    height: video.height ?? 0,
    seconds: video.duration ?? parsed.data.format.duration,
    bytes: parsed.data.format.size,
    startsWithKeyframe: parsed.data.packets[0]?.flags.startsWith('K') ?? false,
    hasAudio: parsed.data.streams.some((stream) => stream.codec_type === 'audio'),
  };
}

async function ask(tools: Ffmpeg, args: readonly string[], signal?: AbortSignal): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runToEnd(tools.ffprobe, args, {
    timeoutMs: 30_000,
    ...(signal ? { signal } : {}),
  }).catch((thrown: unknown) => {
    const cause = thrown instanceof StudioError ? thrown.cause : undefined;
    const gone = cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'EACCES');
    throw gone ? ffmpegGone(thrown) : thrown;
  });
  const failed = (cause: unknown): StudioError =>
    new StudioError('save-failed', 'The saved file could not be verified.', 'The replay is kept; save again.', {
      cause,
    });
  if (code !== 0) throw failed(new Error(stderr.join(' / ')));
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(stdout.toString('utf8')));
  } catch (cause) {
    throw failed(cause);
  }
}
