import { TS_PACKET_BYTES } from './packet.ts';

/** Program specific information, ISO/IEC 13818-1 section 2.4.4; CRC in its Annex A. */

/** section_length of PAT and PMT is at most 1021 (2.4.4.5, 2.4.4.9); three bytes come before it. */
const MAX_SECTION_BYTES = 1024;
const CRC_BYTES = 4;
const NONE = new Uint8Array(0);

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let crc = i << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** CRC-32 of Annex A over [from, to); 0 over a whole section, its CRC included, when that section is intact. */
export function crc32(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0xffffffff;
  for (let i = from; i < to; i += 1) crc = (crc << 8) ^ (CRC_TABLE[((crc >>> 24) ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return crc >>> 0;
}

/**
 * Collects the sections of one PID from packet payloads. Only the first section that begins in a packet is taken (PAT and PMT of a
 * single program need no more). Holds at most one section of 1024 bytes.
 */
export class SectionAssembler {
  readonly #bytes = new Uint8Array(MAX_SECTION_BYTES);
  #have = 0;
  /** whole length of the section under way; 0 when waiting for a start */
  #need = 0;
  #crcErrors = 0;

  get crcErrors(): number {
    return this.#crcErrors;
  }

  /**
   * Adds the payload [from, to) of a packet. Answers a whole section with a right CRC (a view, valid until the next call), else null.
   * `starts` is the packet's payload_unit_start_indicator: its payload begins with a pointer_field (2.4.4.2).
   */
  push(buf: Uint8Array, from: number, to: number, starts: boolean): Uint8Array | null {
    let at = from;
    if (starts) {
      const pointer = buf[at] ?? 0;
      at += 1;
      if (this.#need > 0 && this.#have < this.#need) {
        const section = this.#take(buf, at, Math.min(to, at + pointer));
        if (section) return section;
      }
      at += pointer;
      this.#have = 0;
      this.#need = 0;
      if (at + 3 > to) return null;
      const length = 3 + ((((buf[at + 1] ?? 0) & 0x0f) << 8) | (buf[at + 2] ?? 0));
      if (length > MAX_SECTION_BYTES) return null;
      this.#need = length;
    }
    return this.#need > 0 ? this.#take(buf, at, to) : null;
  }

  #take(buf: Uint8Array, from: number, to: number): Uint8Array | null {
    const count = Math.max(0, Math.min(this.#need - this.#have, to - from));
    for (let i = 0; i < count; i += 1) this.#bytes[this.#have + i] = buf[from + i] ?? 0;
    this.#have += count;
    if (this.#have < this.#need) return null;
    const length = this.#need;
    this.#need = 0;
    this.#have = 0;
    if (crc32(this.#bytes, 0, length) !== 0) {
      this.#crcErrors += 1;
      return null;
    }
    return this.#bytes.subarray(0, length);
  }
}

/** True for a whole section of the given table that is in force (current_next_indicator) and of the long form. */
function isCurrent(section: Uint8Array, tableId: number, minBytes: number): boolean {
  return (
    section.length >= minBytes &&
    section[0] === tableId &&
    ((section[1] ?? 0) & 0x80) !== 0 &&
    ((section[5] ?? 0) & 1) === 1
  );
}

/** The first program of a PAT section (2.4.4.3): its number and the PID of its map; null when there is none. */
export function parsePat(section: Uint8Array): { program: number; pmtPid: number } | null {
  if (!isCurrent(section, 0x00, 12)) return null;
  for (let p = 8; p + 4 <= section.length - CRC_BYTES; p += 4) {
    const program = ((section[p] ?? 0) << 8) | (section[p + 1] ?? 0);
    if (program !== 0) return { program, pmtPid: (((section[p + 2] ?? 0) & 0x1f) << 8) | (section[p + 3] ?? 0) };
  }
  return null;
}

export type ElementaryStream = { pid: number; type: number };

/** The elementary streams of a PMT section (2.4.4.8); null when the section is not a map in force or its lengths contradict each other. */
export function parsePmt(section: Uint8Array): { program: number; streams: ElementaryStream[] } | null {
  if (!isCurrent(section, 0x02, 16)) return null;
  const end = section.length - CRC_BYTES;
  const streams: ElementaryStream[] = [];
  let p = 12 + ((((section[10] ?? 0) & 0x0f) << 8) | (section[11] ?? 0));
  while (p + 5 <= end) {
    streams.push({ type: section[p] ?? 0, pid: (((section[p + 1] ?? 0) & 0x1f) << 8) | (section[p + 2] ?? 0) });
    p += 5 + ((((section[p + 3] ?? 0) & 0x0f) << 8) | (section[p + 4] ?? 0));
  }
  return p === end ? { program: ((section[3] ?? 0) << 8) | (section[4] ?? 0), streams } : null;
}

/** A section as whole transport packets of the given PID, continuity counters from 0, the rest filled with 0xFF (2.4.4). */
export function sectionPackets(section: Uint8Array, pid: number): Uint8Array {
  if (section.length === 0) return NONE;
  const room = TS_PACKET_BYTES - 4;
  const count = Math.ceil((section.length + 1) / room);
  const out = new Uint8Array(count * TS_PACKET_BYTES).fill(0xff);
  for (let i = 0; i < count; i += 1) {
    const p = i * TS_PACKET_BYTES;
    const first = i === 0;
    out.set([0x47, (first ? 0x40 : 0) | (pid >> 8), pid & 0xff, 0x10 | (i & 15)], p);
    if (first) out[p + 4] = 0;
    const from = first ? 0 : i * room - 1;
    const take = section.subarray(from, Math.min(section.length, (i + 1) * room - 1));
    out.set(take, p + (first ? 5 : 4));
  }
  return out;
}
