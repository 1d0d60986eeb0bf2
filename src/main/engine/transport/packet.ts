/** Layout of the transport packet, ISO/IEC 13818-1 section 2.4.3.2 and 2.4.3.3 (packet), 2.4.3.4 and 2.4.3.5 (adaptation field). */

export const TS_PACKET_BYTES = 188;
export const SYNC_BYTE = 0x47;
export const PAT_PID = 0;
/** Service descriptions (ETSI EN 300 468); ffmpeg puts them between PAT and keyframe at times. */
export const SDT_PID = 0x11;
export const NULL_PID = 0x1fff;

/** PID of the packet that starts at `p`. */
export function pidOf(buf: Uint8Array, p: number): number {
  return (((buf[p + 1] ?? 0) & 0x1f) << 8) | (buf[p + 2] ?? 0);
}

export function payloadUnitStarts(buf: Uint8Array, p: number): boolean {
  return ((buf[p + 1] ?? 0) & 0x40) !== 0;
}

/**
 * Where the payload of the packet at `p` begins, counted from the packet's first byte (4..187);
 * 188 when the packet carries none, -1 when its adaptation field cannot be true.
 */
export function payloadStart(buf: Uint8Array, p: number): number {
  const control = ((buf[p + 3] ?? 0) >> 4) & 3;
  if (control === 1) return 4;
  if (control !== 3) return TS_PACKET_BYTES;
  const length = buf[p + 4] ?? 0;
  return length <= 182 ? 5 + length : -1;
}

/** True when the adaptation field (which must exist) announces a discontinuity of the continuity counter. */
export function discontinuityIndicated(buf: Uint8Array, p: number): boolean {
  return (buf[p + 4] ?? 0) > 0 && ((buf[p + 5] ?? 0) & 0x80) !== 0;
}

/**
 * True when the packet at `p` has an adaptation field that holds stuffing: one longer than the fields its flags announce.
 * Muxers need it only where the rest of a PES packet does not fill the transport packet.
 */
export function carriesStuffing(buf: Uint8Array, p: number): boolean {
  if (((buf[p + 3] ?? 0) & 0x20) === 0) return false;
  const length = buf[p + 4] ?? 0;
  if (length === 0) return true;
  const flags = buf[p + 5] ?? 0;
  if (flags === 0) return true;
  let used = 1;
  if (flags & 0x10) used += 6;
  if (flags & 0x08) used += 6;
  if (flags & 0x04) used += 1;
  if (flags & 0x02) used += 1 + (buf[p + 5 + used] ?? 0);
  if (flags & 0x01 && used < length) used += 1 + (buf[p + 5 + used] ?? 0);
  return used < length;
}
