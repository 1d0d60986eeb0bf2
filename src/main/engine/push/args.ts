import type { VideoCodec } from '../../../contract/index.ts';
import type { Sound } from '../rtmp/relay-args.ts';
import type { Destination } from './address.ts';

export type PushPlan = {
  destination: Destination;
  sound: Sound;
  /** file with the secret option (`secretPreset`); undefined to put it into the arguments */
  secretFile: string | undefined;
  /** certificates that a server is checked against; undefined leaves that to ffmpeg */
  caFile: string | undefined;
};

/** A line of an ffmpeg preset: `-fpre FILE` reads options of an output from it (ffmpeg 5.1.9: tested; fftools/ffmpeg_opt.c). */
export const secretPreset = ([name, value]: readonly [string, string]): string => `${name}=${value}\n`;

/** MPEG-TS on standard input to a server elsewhere, everything as it is; progress on file descriptor 3. */
export function pushArgs({ destination, sound, secretFile, caFile }: PushPlan): string[] {
  const { format, url, options, secret } = destination;
  const isFlv = format === 'flv';
  // FLV takes AAC only, and services refuse a stream without sound; `-re` keeps the silence from running away while the input pauses
  const silent = sound === 'none';
  const silence = ['-re', '-f', 'lavfi', '-i', 'anullsrc=r=48000:cl=stereo'];
  const encode = ['-c:a', 'aac', '-b:a', '128k', '-ac', '2'];
  return [
    ...['-hide_banner', '-nostats', '-loglevel', 'warning', '-progress', 'pipe:3', '-stats_period', '0.5'],
    ...['-fflags', 'nobuffer', '-analyzeduration', '1000000', '-f', 'mpegts', '-i', 'pipe:0'],
    ...(silent ? silence : []),
    ...['-map', '0:v:0', '-map', silent ? '1:a:0' : '0:a:0', '-c:v', 'copy'],
    ...(sound === 'aac' || (sound === 'other' && !isFlv) ? ['-c:a', 'copy'] : encode),
    ...['-max_interleave_delta', '1000000', ...(silent ? ['-shortest'] : [])],
    ...(isFlv ? ['-flvflags', 'no_duration_filesize'] : ['-mpegts_flags', '+resend_headers']),
    ...options.flatMap(([name, value]) => [`-${name}`, value]),
    ...(caFile === undefined ? [] : ['-tls_verify', '1', '-ca_file', caFile]),
    ...(secret === undefined ? [] : secretFile === undefined ? [`-${secret[0]}`, secret[1]] : ['-fpre', secretFile]),
    ...['-f', format, url],
  ];
}

/**
 * Whether this ffmpeg writes and reads HEVC over RTMP (enhanced RTMP came with 6.1; 5.1.9 refuses it, measured). A version that is
 * no number is one built from its newest sources.
 */
export function speaksEnhancedRtmp(version: string): boolean {
  const [, major, minor] = /^n?(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return true;
  return Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 1);
}

export const carries = (format: Destination['format'], codec: VideoCodec, version: string): boolean =>
  codec === 'h264' || format === 'mpegts' || speaksEnhancedRtmp(version);
