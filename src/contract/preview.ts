/**
 * One frame of the preview's binary lane: a 20-byte header, then one access unit as Annex B (Rec. ITU-T H.264 Annex B),
 * parameter sets in band at every keyframe. All integers big-endian.
 *
 * | bytes | field |
 * | --- | --- |
 * | 0 | version, 1 |
 * | 1 | flags: 1 keyframe, 2 discontinuity (frames before it were skipped) |
 * | 2..3 | profile_idc, constraint flags (for the WebCodecs codec string) |
 * | 4 | level_idc |
 * | 5..7 | reserved, 0 |
 * | 8..15 | presentation time, microseconds, unsigned |
 * | 16..17 | picture width, pixels (0 if unknown) |
 * | 18..19 | picture height, pixels |
 */
export const PREVIEW_HEADER_BYTES = 20;

export type PreviewFrame = {
  keyframe: boolean;
  discontinuity: boolean;
  /** profile_idc, constraint_set flags, level_idc of the SPS (H.264 7.3.2.1.1) */
  profile: readonly [number, number, number];
  timestampMicros: number;
  width: number;
  height: number;
  data: Uint8Array;
};

export function encodePreviewFrame(frame: PreviewFrame): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(PREVIEW_HEADER_BYTES + frame.data.byteLength);
  const view = new DataView(out.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, (frame.keyframe ? 1 : 0) | (frame.discontinuity ? 2 : 0));
  view.setUint8(2, frame.profile[0]);
  view.setUint8(3, frame.profile[1]);
  view.setUint8(4, frame.profile[2]);
  view.setBigUint64(8, BigInt(Math.max(0, Math.round(frame.timestampMicros))));
  view.setUint16(16, frame.width);
  view.setUint16(18, frame.height);
  out.set(frame.data, PREVIEW_HEADER_BYTES);
  return out;
}

/** Returns undefined for anything that is not a version 1 frame. The data is a view, not a copy. */
export function decodePreviewFrame(bytes: Uint8Array): PreviewFrame | undefined {
  if (bytes.byteLength <= PREVIEW_HEADER_BYTES || bytes[0] !== 1) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(1);
  return {
    keyframe: (flags & 1) !== 0,
    discontinuity: (flags & 2) !== 0,
    profile: [view.getUint8(2), view.getUint8(3), view.getUint8(4)],
    timestampMicros: Number(view.getBigUint64(8)),
    width: view.getUint16(16),
    height: view.getUint16(18),
    data: bytes.subarray(PREVIEW_HEADER_BYTES),
  };
}

/** RFC 6381 codec string of an H.264 stream, each byte as two hex digits. */
export function avcCodecString(profile: readonly [number, number, number]): string {
  return `avc1.${profile.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
