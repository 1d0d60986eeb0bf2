import type { RtmpPeer } from '../../contract/rtmp.ts';
import { bitrate, clock, count, dimensions } from '../words/format.ts';

/** What the programs that connect call themselves, as people know them; the first that fits. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/obs-output|obs-studio|libobs/i, 'OBS'],
  [/larix/i, 'Larix'],
  [/xsplit/i, 'XSplit'],
  [/gstreamer|^LNX 10,0,32,18$/i, 'GStreamer'],
  // what ffmpeg calls itself when it reads (libavformat/rtmpproto.c), in whichever program
  [/^LNX 9,0,124,2$/, 'ffmpeg (OpenCV, mpv, ffplay)'],
  [/lavf|libav/i, 'ffmpeg'],
];

const CODECS: Readonly<Record<string, string>> = {
  h264: 'H.264',
  hevc: 'HEVC',
  av1: 'AV1',
  aac: 'AAC',
  mp3: 'MP3',
  opus: 'Opus',
};
const codecWords = (codec: string): string => CODECS[codec.toLowerCase()] ?? codec;

/** Who it is: ours are named as the studio, others by their program or as one unknown. */
export function peerName({ own, client }: RtmpPeer): string {
  if (own) return 'This studio';
  if (client === undefined || client === '') return 'Another program';
  return PROGRAMS.find(([pattern]) => pattern.test(client))?.[1] ?? client;
}

/** What is known of its stream, in the order people ask: `H.264 1280 × 720, 29.9 fps`, `AAC`, `3.1 Mbit/s`, `2 stretches skipped`. */
export function peerFacts(peer: RtmpPeer): string[] {
  const { videoCodec, audioCodec, width, height, fps, kbps, skippedGops = 0 } = peer;
  const size = width !== undefined && height !== undefined ? dimensions(width, height) : '';
  const picture = [videoCodec === undefined ? '' : codecWords(videoCodec), size].filter(Boolean).join(' ');
  const rate = fps === undefined ? '' : `${Number(fps.toFixed(1))} fps`;
  const measured = kbps === undefined ? undefined : bitrate(kbps);
  return [
    [picture, rate].filter(Boolean).join(', '),
    audioCodec === undefined ? '' : codecWords(audioCodec),
    measured === undefined ? '' : `${measured.value} ${measured.unit}`,
    skippedGops === 0 ? '' : `${count(skippedGops, 'stretch', 'stretches')} skipped: it reads too slowly`,
  ].filter(Boolean);
}

/** Since when, `now` in Unix seconds. */
export const peerSince = ({ since }: RtmpPeer, now: number): string => `for ${clock(now - since)}`;
