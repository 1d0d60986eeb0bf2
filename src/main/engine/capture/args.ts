import type { FrameRate, PictureSize } from '../../../contract/index.ts';
import { pictureClock, pictureLead, type SoundPlan } from '../audio/plan.ts';
import type { EncoderPlan } from '../encoders/plan.ts';
import { teeOutput } from '../ffmpeg/tee.ts';

export type Size = { width: number; height: number };

/** What one capture run of ffmpeg is made of. Pure: the arguments follow from this alone. */
export type CapturePlan = {
  /** input options and input number 0, which carries the picture */
  input: readonly string[];
  /** what the picture goes through before anything else */
  filters?: readonly string[];
  sound: SoundPlan;
  /** the input stamps its pictures with the time of day, as sound that is captured is */
  stampedByWall?: boolean;
  encoder: EncoderPlan;
  /** size of the encoded picture, even numbers */
  output: Size;
  fps: FrameRate;
  /** where the live stream is published; null for nowhere */
  rtmpUrl: string | null;
  /** a second, tiny output of the picture to file descriptor 4, see `WATCH` */
  watch: boolean;
  /** seconds added to every timestamp, so that a restarted capture goes on where its readers are */
  timestampOffset: number;
};

const HEIGHTS: Record<PictureSize, number> = { source: 4320, '1080p': 1080, '720p': 720, '480p': 480 };

const even = (value: number): number => Math.max(2, Math.round(value / 2) * 2);

/** The picture's size for a source: never enlarged, aspect kept, both sides even (4:2:0 chroma needs it). */
export function outputSize(source: Size, limit: PictureSize): Size {
  const scale = Math.min(1, HEIGHTS[limit] / source.height, 7680 / source.width);
  return { width: even(source.width * scale), height: even(source.height * scale) };
}

export const testPatternInput = (size: Size, fps: FrameRate): string[] => [
  '-re',
  '-f',
  'lavfi',
  '-i',
  `testsrc2=size=${size.width}x${size.height}:rate=${fps}`,
];

export function x11WindowInput(display: string, windowId: number, fps: FrameRate): string[] {
  return [
    ...['-f', 'x11grab', '-framerate', String(fps), '-draw_mouse', '0'],
    ...['-window_id', `0x${windowId.toString(16)}`, '-i', display],
  ];
}

export function x11ScreenInput(display: string, area: Size & { x: number; y: number }, fps: FrameRate): string[] {
  return [
    ...['-f', 'x11grab', '-framerate', String(fps), '-draw_mouse', '1'],
    ...[
      '-video_size',
      `${area.width}x${area.height}`,
      '-grab_x',
      String(area.x),
      '-grab_y',
      String(area.y),
      '-i',
      display,
    ],
  ];
}

/** The pictures that are looked at to tell a black or frozen one: grey, one byte per pixel, rows from the top; `frameBytes` each. */
export const WATCH = { width: 64, height: 36, frameBytes: 64 * 36 } as const;

/**
 * Every picture, tiny: ffmpeg reads next from whatever its slowest output needs, so one of four pictures per second held the sound
 * back, and with it the stream by 450 ms (measured; 5.1.9). `fast_bilinear` touches only the lines it needs.
 */
const watchOutput = (before: readonly string[]): string[] => [
  ...['-map', '0:v:0', '-vf'],
  [...before, `scale=${WATCH.width}:${WATCH.height}:flags=fast_bilinear`, 'format=gray'].join(','),
  // as they come, in fine steps: pictures repeated here would be counted with those of the stream, and two that fall into one
  // thirtieth would end the capture with "non monotonically increasing dts"
  ...['-fps_mode', 'vfr', '-enc_time_base', '1:90000', '-c:v', 'rawvideo', '-f', 'rawvideo', 'pipe:4'],
];

/**
 * The measured capture command: one encode, `tee` to MPEG-TS on stdout (the ring) and, behind a `fifo` that survives an RTMP
 * outage, FLV to the RTMP server. Progress lines go to file descriptor 3, pictures to watch to 4; sound that is captured comes from 5.
 */
export function captureArgs(plan: CapturePlan): string[] {
  const { output, fps, sound, encoder } = plan;
  const before = plan.filters ?? [];
  const picture = [
    ...before,
    `scale=${output.width}:${output.height}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bilinear:out_color_matrix=smpte170m:out_range=tv`,
    `pad=${output.width}:${output.height}:(ow-iw)/2:(oh-ih)/2`,
    'setsar=1',
    ...encoder.filters,
  ].join(',');
  const slaves = [
    // onfail=abort: without it ffmpeg 5.1.9 outlives a killed studio and publishes on (measured), whatever the manual says of the default.
    // omit_video_pes_length=0: the length lets us see the end of a picture without waiting for the next one
    {
      options: {
        f: 'mpegts',
        mpegts_flags: '+resend_headers',
        flush_packets: '1',
        omit_video_pes_length: '0',
        onfail: 'abort',
      },
      target: 'pipe:1',
    },
    ...(plan.rtmpUrl === null
      ? []
      : [
          {
            options: {
              // FLV has room for one sound track
              ...(sound.tracks.length > 1 ? { select: 'v,a:0' } : {}),
              f: 'fifo',
              fifo_format: 'flv',
              queue_size: '120',
              drop_pkts_on_overflow: '1',
              attempt_recovery: '1',
              recovery_wait_time: '1',
              recover_any_error: '1',
              onfail: 'ignore',
            },
            target: plan.rtmpUrl,
          },
        ]),
  ];
  return [
    ...['-hide_banner', '-nostats', '-loglevel', 'warning', '-progress', 'pipe:3', '-stats_period', '0.25'],
    // a grab that fails must end everything at once: otherwise the endless silent track floods ring and readers (40 s of it in
    // the first 200 ms after a window shrank, measured)
    '-xerror',
    ...encoder.globals,
    ...pictureClock(sound, plan.stampedByWall === true),
    ...plan.input,
    ...sound.input,
    ...['-map', '0:v:0', ...sound.tracks.flatMap(({ map }) => ['-map', map])],
    ...['-vf', picture],
    ...encoder.args,
    ...['-r', String(fps)],
    // unsaid, Chromium takes it for BT.709 and shows pure red as #ff1800, pure green as #00d802 (measured), while ffmpeg and
    // OpenCV take it for BT.601; said, every reader shows what was captured
    ...['-colorspace', 'smpte170m', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
    ...['-flags', '+global_header'],
    ...pictureLead(sound),
    ...sound.encoder,
    ...sound.tracks.flatMap(({ title }, i) => (title === '' ? [] : [`-metadata:s:a:${i}`, `title=${title}`])),
    ...(plan.timestampOffset > 0 ? ['-output_ts_offset', plan.timestampOffset.toFixed(3)] : []),
    ...['-f', 'tee', teeOutput(slaves)],
    ...(plan.watch ? watchOutput(before) : []),
  ];
}
