/** Largest picture a browser gets: half of 1080p each way, a quarter of the pixels to encode. */
const WIDTH = 960;
const HEIGHT = 540;

const SCALE = [
  `scale=w='min(${WIDTH},iw)':h='min(${HEIGHT},ih)':force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bilinear:out_color_matrix=smpte170m:out_range=tv`,
  'setsar=1',
  'format=yuv420p',
].join(',');

// said, because Chromium takes an unsaid matrix for BT.709 (measured, see the capture's arguments)
const COLOURS = ['-colorspace', 'smpte170m', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'];

/** Threads of the decoder and of the encoder, each: the game has the processor first. */
const THREADS = ['-threads', '2'];

/**
 * Live MPEG-TS on stdin to a small H.264 MPEG-TS on stdout, a keyframe each second, with the flags of the capture that keep the delay
 * low. Input begins at a keyframe. `-fflags nobuffer` is left out: it throws away what was read while probing, that keyframe included.
 */
export const liveTranscodeArgs = (): string[] => [
  ...['-hide_banner', '-nostats', '-loglevel', 'error'],
  ...['-analyzeduration', '500000', ...THREADS, '-f', 'mpegts', '-i', 'pipe:0'],
  ...['-map', '0:v:0', '-vf', SCALE],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-crf', '26', '-maxrate', '4M'],
  ...['-bufsize', '4M', '-bf', '0', '-sc_threshold', '0', '-force_key_frames', 'expr:gte(t,n_forced)', ...THREADS],
  ...COLOURS,
  ...['-muxdelay', '0', '-muxpreload', '0', '-flush_packets', '1', '-mpegts_flags', '+resend_headers'],
  // the length lets us see the end of a picture without waiting for the next one
  ...['-omit_video_pes_length', '0', '-f', 'mpegts', 'pipe:1'],
];

/** A video file to a small H.264 MP4 that plays before it is whole here. At most `cpuSeconds` of processor time, studio or no studio. */
export const clipPreviewArgs = (input: string, output: string, cpuSeconds: number): string[] => [
  ...['-hide_banner', '-nostats', '-loglevel', 'error', '-nostdin', '-timelimit', String(Math.ceil(cpuSeconds))],
  ...[...THREADS, '-i', input, '-map', '0:v:0', '-map', '0:a:0?', '-vf', SCALE],
  ...['-c:v', 'libx264', '-preset', 'superfast', '-crf', '25', '-maxrate', '3M', '-bufsize', '6M', ...THREADS],
  ...COLOURS,
  ...['-c:a', 'aac', '-b:a', '96k', '-ac', '2', '-movflags', '+faststart', '-f', 'mp4', '-y', output],
];

const THUMBNAIL_WIDTH = 160;

/** The first picture of MPEG-TS on stdin as a JPEG on stdout. JPEG is full-range BT.601 by its own rule (JFIF 1.02). */
export const gopThumbnailArgs = (): string[] => [
  ...['-hide_banner', '-nostats', '-loglevel', 'error', '-threads', '1', '-f', 'mpegts', '-i', 'pipe:0'],
  ...['-map', '0:v:0', '-frames:v', '1'],
  ...['-vf', `scale=${THUMBNAIL_WIDTH}:-2:flags=bilinear:out_color_matrix=bt601:out_range=pc,setsar=1`],
  ...['-pix_fmt', 'yuvj420p', '-q:v', '5', '-f', 'mjpeg', 'pipe:1'],
];
