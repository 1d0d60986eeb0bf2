import type { FrameRate, PictureSize } from '../../../contract/index.ts';
import { teeOutput } from '../ffmpeg/tee.ts';

export type Size = { width: number; height: number };

/** What one capture run of ffmpeg is made of. Pure: the arguments follow from this alone. */
export type CapturePlan = {
  /** input options and inputs; the first input carries the picture, `audio` says where sound comes from */
  input: readonly string[];
  audio: { map: string; input: readonly string[] };
  /** size of the encoded picture, even numbers */
  output: Size;
  fps: FrameRate;
  rtmpUrl: string | null;
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

/** A silent stereo track: without one, readers of the RTMP stream open 4.8 s later (measured). */
export const SILENCE = { map: '1:a', input: ['-f', 'lavfi', '-i', 'anullsrc=r=48000:cl=stereo'] } as const;

export const testPatternInput = (size: Size, fps: FrameRate): string[] => [
  '-re',
  '-f',
  'lavfi',
  '-i',
  `testsrc2=size=${size.width}x${size.height}:rate=${fps}`,
];

/** A quiet 440 Hz tone that beeps every second, paced like the picture. */
export const TEST_TONE = {
  map: '1:a',
  input: ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:beep_factor=2:sample_rate=48000'],
} as const;

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

/**
 * The measured capture command: one encode, `tee` to MPEG-TS on stdout (the ring) and, behind a `fifo` that survives an RTMP
 * outage, FLV to the RTMP server. Progress lines go to file descriptor 3.
 */
export function captureArgs(plan: CapturePlan): string[] {
  const { output, fps } = plan;
  const scale = [
    `scale=${output.width}:${output.height}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bilinear:out_color_matrix=smpte170m:out_range=tv`,
    `pad=${output.width}:${output.height}:(ow-iw)/2:(oh-ih)/2`,
    'setsar=1',
    'format=yuv420p',
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
    ...plan.input,
    ...plan.audio.input,
    ...['-map', '0:v:0', '-map', plan.audio.map],
    ...['-vf', scale],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
    ...['-r', String(fps), '-g', String(fps), '-keyint_min', String(fps), '-sc_threshold', '0', '-bf', '0'],
    // unsaid, Chromium takes it for BT.709 and shows pure red as #ff1800, pure green as #00d802 (measured), while ffmpeg and
    // OpenCV take it for BT.601; said, every reader shows what was captured
    ...['-colorspace', 'smpte170m', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
    ...['-flags', '+global_header'],
    ...['-c:a', 'aac', '-b:a', '128k', '-ac', '2'],
    ...(plan.timestampOffset > 0 ? ['-output_ts_offset', plan.timestampOffset.toFixed(3)] : []),
    ...['-f', 'tee', teeOutput(slaves)],
  ];
}
