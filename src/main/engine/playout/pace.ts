import { TS_PACKET_BYTES, payloadStart, payloadUnitStarts } from '../transport/packet.ts';
import { emptyPesHeader, readPesHeader } from '../transport/pes.ts';
import { TICKS_PER_SECOND, TimestampUnwrapper, ticksBetween } from '../transport/timestamps.ts';

/** Pictures further apart than this are sent one after the other all the same. */
const MAX_STEP_TICKS = 2 * TICKS_PER_SECOND;

const header = emptyPesHeader();

/** The 33-bit base of the PCR of the packet at `p` (ISO/IEC 13818-1 section 2.4.3.5), -1 when it has none. */
function clockOf(buf: Uint8Array, p: number): number {
  const adapted = ((buf[p + 3] ?? 0) & 0x20) !== 0;
  const length = adapted ? (buf[p + 4] ?? 0) : 0;
  if (length < 7 || length > 183 || ((buf[p + 5] ?? 0) & 0x10) === 0) return -1;
  const high = ((buf[p + 6] ?? 0) << 24) | ((buf[p + 7] ?? 0) << 16) | ((buf[p + 8] ?? 0) << 8) | (buf[p + 9] ?? 0);
  return (high >>> 0) * 2 + ((buf[p + 10] ?? 0) >> 7);
}

/** DTS and stream id of the PES packet that begins in the packet at `p`; DTS -1 when there is none. */
function beginning(buf: Uint8Array, p: number): { dts: number; streamId: number } {
  const from = payloadUnitStarts(buf, p) ? payloadStart(buf, p) : -1;
  const found = from >= 0 && readPesHeader(buf, p + from, p + TS_PACKET_BYTES, header);
  return found ? { dts: header.dts, streamId: buf[p + from + 3] ?? 0 } : { dts: -1, streamId: 0 };
}

/** The earliest PCR or DTS of these whole packets, so that nothing is below zero once it is subtracted; 0 of none. */
export function earliestTime(packets: Uint8Array): number {
  let earliest = -1;
  const look = (time: number): void => {
    if (time >= 0 && (earliest < 0 || ticksBetween(earliest, time) < 0)) earliest = time;
  };
  for (let p = 0; p + TS_PACKET_BYTES <= packets.length; p += TS_PACKET_BYTES) {
    look(clockOf(packets, p));
    look(beginning(packets, p).dts);
  }
  return Math.max(0, earliest);
}

/** When each picture of a stream is due, by its DTS, in seconds after the first one. */
export class PictureTimes {
  readonly #clock = new TimestampUnwrapper();
  #due = 0;

  /**
   * How much of the whole packets from `from` on may go out: up to `end`, where a picture begins that is due after `horizon` seconds.
   * `due` is when; unless all of it may go, ask again from `end` on with a later horizon.
   */
  reach(packets: Uint8Array, from: number, horizon: number): { end: number; due: number } {
    for (let p = from; p + TS_PACKET_BYTES <= packets.length; p += TS_PACKET_BYTES) {
      const { dts, streamId } = beginning(packets, p);
      // 0xE0 to 0xEF: video (table 2-22); sound and the rest goes out with the pictures it lies between
      if (dts < 0 || (streamId & 0xf0) !== 0xe0) continue;
      const before = this.#clock.last;
      const step = this.#clock.unwrap(dts) - before;
      if (step > 0 && step <= MAX_STEP_TICKS) this.#due += step / TICKS_PER_SECOND;
      if (this.#due > horizon) return { end: p, due: this.#due };
    }
    return { end: packets.length, due: this.#due };
  }
}
