import { StudioError, type ClipFormat, type VideoCodec } from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { StreamHead } from './stream-head.ts';

/** Previews are for a chat window: small and short. */
export const PREVIEW_SECONDS = 15;
const PREVIEW_WIDTH = 480;
const PREVIEW_FPS = 15;
const PREVIEW_MEGABYTES = 32;

export const isPreview = (format: ClipFormat): boolean => format === 'gif' || format === 'webm';

export type FilePlan = {
  format: Exclude<ClipFormat, 'ts'>;
  codec: VideoCodec;
  head: StreamHead & { cut: number };
  /** length of the clip, seconds */
  seconds: number;
  /** an ffmetadata file, or null without marks */
  chapters: string | null;
  /** false for a stream that announces sound and holds none yet */
  sound: boolean;
};

/**
 * The arguments that make a file of MPEG-TS on stdin. Copies encode nothing again.
 * mp4: the whole stream is moved so that the first wanted picture lies at 0; what comes before has negative time, for which ffmpeg
 * writes an edit list (measured: 144 of 180 pictures, first at 0.000000, audio cut to the sample).
 */
export function fileArgs(tools: Ffmpeg, plan: FilePlan, file: string): string[] {
  const { format, codec, head, chapters } = plan;
  const input = [
    ...['-hide_banner', '-loglevel', 'error', '-fflags', '+genpts', '-f', 'mpegts', '-i', 'pipe:0'],
    ...(chapters === null ? [] : ['-f', 'ffmetadata', '-i', chapters, '-map_chapters', '1']),
  ];
  const copy = ['-map', '0:v:0', ...(plan.sound ? ['-map', '0:a?'] : []), '-c', 'copy'];
  const offset = head.lead + head.cut;
  switch (format) {
    case 'mp4':
      return [
        ...input,
        ...copy,
        // players of Apple read HEVC only under this tag
        ...(codec === 'hevc' ? ['-tag:v', 'hvc1'] : []),
        ...(offset > 0 ? ['-output_ts_offset', (-offset).toFixed(6)] : []),
        ...['-f', 'mp4', '-y', file],
      ];
    case 'mkv':
      return [...input, ...copy, '-avoid_negative_ts', 'make_zero', '-f', 'matroska', '-y', file];
    case 'gif':
    case 'webm':
      return [...input, ...previewArgs(tools, plan, offset), '-y', file];
  }
}

function previewArgs(tools: Ffmpeg, { format, seconds, sound }: FilePlan, offset: number): string[] {
  const span = `start=${offset.toFixed(6)}:duration=${seconds.toFixed(6)}`;
  const picture = [
    `trim=${span}`,
    'setpts=PTS-STARTPTS',
    `fps=${PREVIEW_FPS}`,
    `scale='min(${PREVIEW_WIDTH},iw)':-2:flags=bilinear`,
  ].join(',');
  const bound = ['-fs', String(PREVIEW_MEGABYTES * 1024 * 1024)];
  if (format === 'gif') {
    const palette =
      'split[a][b];[a]palettegen=max_colors=128:stats_mode=diff[p];[b][p]paletteuse=dither=bayer:bayer_scale=4';
    return ['-map', '0:v:0', '-an', '-vf', `${picture},${palette}`, ...bound, '-loop', '0', '-f', 'gif'];
  }
  if (!tools.encoders.has('libvpx')) {
    throw new StudioError(
      'not-supported',
      'This ffmpeg cannot write WebM previews: it has no VP8 encoder.',
      'Save as gif or mp4 instead, or install a complete ffmpeg.',
    );
  }
  const voice = ['libopus', 'libvorbis'].find((name) => tools.encoders.has(name));
  return [
    ...['-map', '0:v:0', '-vf', picture, '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '1M', '-g', '30'],
    ...(voice === undefined || !sound
      ? ['-an']
      : ['-map', '0:a:0?', '-af', `atrim=${span},asetpts=PTS-STARTPTS`, '-ar', '48000', '-c:a', voice, '-b:a', '64k']),
    ...bound,
    ...['-f', 'webm'],
  ];
}
