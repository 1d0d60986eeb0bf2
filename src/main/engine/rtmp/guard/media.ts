/** What an audio, video or data message is, by its first bytes (FLV specification 10.1, Annex E; Enhanced RTMP v1 and v2). */
import { readAmf0, type AmfValue } from './amf0.ts';
import { TYPE, type RtmpMessage } from './chunks.ts';
import { RtmpViolation } from './limits.ts';

export type MediaKind =
  | { kind: 'audio-header' | 'video-header'; codec: string }
  /** HDR metadata of enhanced RTMP: readers that join need it too */
  | { kind: 'video-metadata' }
  | { kind: 'audio'; codec: string }
  | { kind: 'video'; keyframe: boolean; codec: string }
  /** passed on as it is, never kept: what a later version of enhanced RTMP may bring */
  | { kind: 'unknown-video' | 'unknown-audio' }
  /** says that the publisher's stream ended: readers wait for the next one */
  | { kind: 'end' }
  | { kind: 'empty' };

const AUDIO = [
  'lpcm',
  'adpcm',
  'mp3',
  'lpcm',
  'nellymoser',
  'nellymoser',
  'nellymoser',
  'g711',
  'g711',
  '',
  'aac',
  'speex',
];
const FOURCC: Readonly<Record<string, string>> = {
  avc1: 'h264',
  hvc1: 'hevc',
  av01: 'av1',
  vp09: 'vp9',
  vp08: 'vp8',
  vvc1: 'vvc',
  mp4a: 'aac',
  Opus: 'opus',
  fLaC: 'flac',
  'ac-3': 'ac3',
  'ec-3': 'eac3',
  '.mp3': 'mp3',
};

const fourcc = (payload: Buffer): string => FOURCC[payload.toString('latin1', 1, 5)] ?? 'unknown';

/** `type` is audio or video. Never throws: what is not understood is passed on as unknown. */
export function classify({ type, payload }: Pick<RtmpMessage, 'type' | 'payload'>): MediaKind {
  const first = payload[0];
  if (first === undefined) return { kind: 'empty' };
  return type === TYPE.audio ? audio(payload, first) : video(payload, first);
}

function audio(payload: Buffer, first: number): MediaKind {
  const format = first >> 4;
  if (format === 9) {
    if (payload.length < 5) return { kind: 'unknown-audio' };
    const packet = first & 0x0f;
    if (packet === 0) return { kind: 'audio-header', codec: fourcc(payload) };
    if (packet === 1) return { kind: 'audio', codec: fourcc(payload) };
    return packet === 2 ? { kind: 'end' } : { kind: 'unknown-audio' };
  }
  const codec = AUDIO[format] ?? 'unknown';
  if (format !== 10) return { kind: 'audio', codec };
  if (payload.length < 2) return { kind: 'empty' };
  return payload[1] === 0 ? { kind: 'audio-header', codec } : { kind: 'audio', codec };
}

function video(payload: Buffer, first: number): MediaKind {
  const keyframe = ((first >> 4) & 7) === 1;
  if ((first & 0x80) !== 0) {
    if (payload.length < 5) return { kind: 'unknown-video' };
    const codec = fourcc(payload);
    switch (first & 0x0f) {
      case 0:
        return { kind: 'video-header', codec };
      case 1:
      case 3:
        return { kind: 'video', keyframe, codec };
      case 2:
        return { kind: 'end' };
      case 4:
        return { kind: 'video-metadata' };
      default:
        return { kind: 'unknown-video' };
    }
  }
  const id = first & 0x0f;
  if (id !== 7 && id !== 12) return { kind: 'video', keyframe, codec: id === 2 ? 'flv1' : 'unknown' };
  const codec = id === 7 ? 'h264' : 'hevc';
  // AVCPacketType and a composition time of 3 bytes; ffmpeg closes a stream with a "keyframe" of type 2
  if (payload.length < 5) return { kind: 'empty' };
  if (payload[1] === 0) return { kind: 'video-header', codec };
  return payload[1] === 1 ? { kind: 'video', keyframe, codec } : { kind: 'end' };
}

/** What `onMetaData` says, within reason. */
export type Described = { width?: number; height?: number };

/**
 * A data message as readers get it: `@setDataFrame` is taken off. Undefined for what is not for them. Errors: `RtmpViolation` for AMF that
 * is not whole.
 */
export function readData(payload: Buffer): { payload: Buffer; described: Described } | undefined {
  const [first, second, third] = readAmf0(payload);
  if (first === '@setDataFrame') {
    if (second !== 'onMetaData') return undefined;
    // marker, length and text of the first string
    return { payload: payload.subarray(3 + '@setDataFrame'.length), described: describe(third) };
  }
  if (first === 'onMetaData') return { payload, described: describe(second) };
  if (typeof first !== 'string') throw new RtmpViolation('data without a name');
  return undefined;
}

const describe = (object: AmfValue): Described => {
  if (!(object instanceof Map)) return {};
  const size = (name: string): number | undefined => {
    const number = object.get(name);
    return typeof number === 'number' && Number.isInteger(number) && number > 0 && number <= 16_384
      ? number
      : undefined;
  };
  const width = size('width');
  const height = size('height');
  return { ...(width === undefined ? {} : { width }), ...(height === undefined ? {} : { height }) };
};
