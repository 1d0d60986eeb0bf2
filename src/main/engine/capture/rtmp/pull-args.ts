/** What ffmpeg says of a stream it reads, as far as it has said it. */
export type StreamFindings = { video?: string; audio?: string; unsupportedVideo?: boolean };

/**
 * An RTMP stream as MPEG-TS on standard output, the picture as it is. `fpsprobesize 0`: the first bytes come 0.24 s after the start
 * instead of 0.6 to 1.5 s, because ffmpeg does not watch twenty pictures for a frame rate nobody asks for (5.1.9, measured).
 * `analyzeduration` is how long it waits for a sound that is announced and does not come; not `-fflags nobuffer`, which
 * throws the first group of pictures away.
 */
export function pullArgs(url: string, { encodeSound }: { encodeSound: boolean }): string[] {
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'info'],
    ...['-fpsprobesize', '0', '-analyzeduration', '1000000', '-f', 'flv', '-i', url],
    ...['-map', '0:v:0', '-map', '0:a:0?', '-c:v', 'copy'],
    ...(encodeSound ? ['-c:a', 'aac', '-b:a', '128k', '-ac', '2'] : ['-c:a', 'copy']),
    // a sound that pauses must not hold the pictures back
    ...['-max_interleave_delta', '500000'],
    ...['-f', 'mpegts', '-mpegts_flags', '+resend_headers', '-flush_packets', '1', '-omit_video_pes_length', '0'],
    'pipe:1',
  ];
}

/** Takes one line of ffmpeg's stderr (5.1.9) into account; true when it says that the output begins, so that all is known. */
export function noteLine(line: string, found: StreamFindings): boolean {
  // "Video codec (0) is not implemented": the packet type of enhanced RTMP, read as the codec of plain FLV
  if (/Video codec \(\w+\) is not implemented/i.test(line)) found.unsupportedVideo = true;
  const [, kind, codec] = /^\s*Stream #0:\d+.*?: (Video|Audio): (\w+)/.exec(line) ?? [];
  if (kind === 'Video') found.video ??= codec ?? '';
  if (kind === 'Audio') found.audio ??= codec ?? '';
  return line.startsWith('Output #0');
}
