/** What the header of a PES packet says (ISO/IEC 13818-1 sections 2.4.3.6 and 2.4.3.7). */
export type PesHeader = {
  /** PES_packet_length: bytes after that field, 0 when not told (allowed for video only) */
  packetLength: number;
  /** bytes from the start code prefix to the first byte of the elementary stream */
  headerLength: number;
  /** 33-bit values, -1 when absent */
  pts: number;
  dts: number;
};

export function emptyPesHeader(): PesHeader {
  return { packetLength: 0, headerLength: 0, pts: -1, dts: -1 };
}

/** Stream ids whose PES packets have no optional header (table 2-21): maps, padding, ECM, EMM, directory, DSM-CC, H.222.1 type E. */
const PLAIN_IDS = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xff, 0xf2, 0xf8]);

/** The 33-bit timestamp in the five bytes at `p`, or -1 when a marker bit is missing. */
function timestampAt(buf: Uint8Array, p: number, end: number): number {
  if (p + 5 > end) return -1;
  const b0 = buf[p] ?? 0;
  const b2 = buf[p + 2] ?? 0;
  const b4 = buf[p + 4] ?? 0;
  if ((b0 & b2 & b4 & 1) === 0) return -1;
  const low = ((buf[p + 1] ?? 0) << 22) | ((b2 >> 1) << 15) | ((buf[p + 3] ?? 0) << 7) | (b4 >> 1);
  return ((b0 >> 1) & 7) * 2 ** 30 + low;
}

/**
 * Reads the PES header that begins at `p` into `out`; `end` is the end of the transport packet. False when there is none,
 * or when its fixed part does not fit in the packet (no muxer splits it). `headerLength` may point past `end`.
 */
export function readPesHeader(buf: Uint8Array, p: number, end: number, out: PesHeader): boolean {
  out.packetLength = 0;
  out.headerLength = 0;
  out.pts = -1;
  out.dts = -1;
  if (p + 6 > end || buf[p] !== 0 || buf[p + 1] !== 0 || buf[p + 2] !== 1) return false;
  out.packetLength = ((buf[p + 4] ?? 0) << 8) | (buf[p + 5] ?? 0);
  if (PLAIN_IDS.has(buf[p + 3] ?? 0)) {
    out.headerLength = 6;
    return true;
  }
  if (p + 9 > end || ((buf[p + 6] ?? 0) & 0xc0) !== 0x80) return false;
  const flags = (buf[p + 7] ?? 0) >> 6;
  const optional = buf[p + 8] ?? 0;
  out.headerLength = 9 + optional;
  const limit = Math.min(end, p + out.headerLength);
  if (flags >= 2) out.pts = timestampAt(buf, p + 9, limit);
  out.dts = flags === 3 ? timestampAt(buf, p + 14, limit) : out.pts;
  if (out.dts < 0) out.dts = out.pts;
  return true;
}
