import { TS_PACKET_BYTES } from '../../transport/packet.ts';
import { crc32, sectionPackets } from '../../transport/psi.ts';

/** Builds small transport streams byte by byte, so that tests can ask for structures no encoder would make. */

const PMT_PID = 0x1000;
export const VIDEO_PID = 0x100;
export const AUDIO_PID = 0x101;

const SPS = [0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x47, 0xfe, 0x88];
const PPS = [0x68, 0xce, 0x38, 0x80];

function section(head: readonly number[], body: readonly number[]): Uint8Array {
  const length = 5 + body.length + 4;
  const bytes = Uint8Array.from([
    head[0] ?? 0,
    0xb0 | (length >> 8),
    length & 0xff,
    ...head.slice(1),
    ...body,
    0,
    0,
    0,
    0,
  ]);
  new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32(bytes, 0, bytes.length - 4));
  return bytes;
}

/** A PAT naming one program. */
function pat(pmtPid = PMT_PID, program = 1): Uint8Array {
  return section([0x00, 0, 1, 0xc1, 0, 0], [program >> 8, program & 0xff, 0xe0 | (pmtPid >> 8), pmtPid & 0xff]);
}

export function pmt(streams: readonly { pid: number; type: number; info?: number }[], program = 1): Uint8Array {
  const body = streams.flatMap(({ pid, type, info = 0 }) => [
    type,
    0xe0 | (pid >> 8),
    pid & 0xff,
    0xf0 | (info >> 8),
    info & 0xff,
    ...new Array<number>(info).fill(0x55),
  ]);
  const pcr = streams[0]?.pid ?? 0x1fff;
  return section([0x02, program >> 8, program & 0xff, 0xc1, 0, 0], [0xe0 | (pcr >> 8), pcr & 0xff, 0xf0, 0, ...body]);
}

export const H264_AND_AAC = [
  { pid: VIDEO_PID, type: 0x1b },
  { pid: AUDIO_PID, type: 0x0f },
];

/** The five bytes of a PTS or DTS (ISO/IEC 13818-1 section 2.4.3.6); `prefix` is 2, 3 or 1. */
export function timestamp(prefix: number, ticks: number): number[] {
  const t = ((ticks % 2 ** 33) + 2 ** 33) % 2 ** 33;
  const high = Math.floor(t / 2 ** 30);
  const low = t % 2 ** 30;
  return [
    (prefix << 4) | (high << 1) | 1,
    (low >> 22) & 0xff,
    (((low >> 15) & 0x7f) << 1) | 1,
    (low >> 7) & 0xff,
    ((low & 0x7f) << 1) | 1,
  ];
}

export type UnitSpec = {
  key?: boolean;
  /** bytes of the slice */
  size?: number;
  pts: number;
  dts?: number;
  /** PES_packet_length told (only below 64 KiB) */
  told?: boolean;
  /** last byte of the SPS, to change the parameter sets */
  spsByte?: number;
};

/** The elementary stream of one H.264 access unit: AUD, SPS and PPS at keyframes, one slice that holds no start code. */
export function unitBytes({ key = false, size = 100, spsByte = 0x88 }: UnitSpec): number[] {
  const start = [0, 0, 0, 1];
  const sets = key ? [...start, ...SPS.slice(0, -1), spsByte, ...start, ...PPS] : [];
  return [...start, 0x09, 0xf0, ...sets, ...start, key ? 0x65 : 0x41, ...new Array<number>(size).fill(0xaa)];
}

/** Writes packets with right continuity counters. */
export class StreamBuilder {
  readonly #counters = new Map<number, number>();
  readonly #parts: Uint8Array[] = [];

  /** What was written since the last call. */
  take(): Uint8Array {
    const out = Uint8Array.from(Buffer.concat(this.#parts));
    this.#parts.length = 0;
    return out;
  }

  psi(streams: Parameters<typeof pmt>[0] = H264_AND_AAC, pmtPid = PMT_PID): this {
    for (const [pid, bytes] of [
      [0, pat(pmtPid)],
      [pmtPid, pmt(streams)],
    ] as const) {
      const packets = sectionPackets(bytes, pid);
      for (let p = 0; p < packets.length; p += TS_PACKET_BYTES) packets[p + 3] = 0x10 | this.#counter(pid);
      this.#parts.push(packets);
    }
    return this;
  }

  video(unit: UnitSpec): this {
    for (const packet of this.videoPackets(unit)) this.#parts.push(packet);
    return this;
  }

  videoPackets(unit: UnitSpec, pid = VIDEO_PID): Uint8Array[] {
    return this.#pes(pid, 0xe0, unit, unitBytes(unit));
  }

  audioPackets(pts: number, size: number, told = true): Uint8Array[] {
    return this.#pes(AUDIO_PID, 0xc0, { pts, told }, new Array<number>(size).fill(0x77));
  }

  packets(...packets: Uint8Array[]): this {
    this.#parts.push(...packets);
    return this;
  }

  /** `count` pictures at 30 per second, a keyframe every `gop`, told lengths or not; `from` is the first PTS. */
  run(
    count: number,
    options: { from?: number; gop?: number; size?: number; told?: boolean; psi?: boolean } = {},
  ): this {
    const { from = 0, gop = 30, size = 100, told = false, psi = true } = options;
    for (let i = 0; i < count; i += 1) {
      const key = i % gop === 0;
      if (key && psi) this.psi();
      this.video({ key, size, pts: from + i * 3000, told });
    }
    return this;
  }

  #pes(
    pid: number,
    streamId: number,
    unit: { pts: number; dts?: number; told?: boolean },
    data: readonly number[],
  ): Uint8Array[] {
    const both = unit.dts !== undefined && unit.dts !== unit.pts;
    const times = both ? [...timestamp(3, unit.pts), ...timestamp(1, unit.dts ?? 0)] : timestamp(2, unit.pts);
    const optional = [0x80, both ? 0xc0 : 0x80, times.length, ...times];
    const length = unit.told === true ? optional.length + data.length : 0;
    const bytes = Uint8Array.from([0, 0, 1, streamId, length >> 8, length & 0xff, ...optional, ...data]);
    const packets: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) packets.push(this.#packet(pid, bytes, at, (n) => (at += n)));
    return packets;
  }

  #packet(pid: number, bytes: Uint8Array, at: number, taken: (count: number) => void): Uint8Array {
    const packet = new Uint8Array(TS_PACKET_BYTES).fill(0xff);
    const take = Math.min(TS_PACKET_BYTES - 4, bytes.length - at);
    const spare = TS_PACKET_BYTES - 4 - take;
    packet.set([0x47, (at === 0 ? 0x40 : 0) | (pid >> 8), pid & 0xff, (spare > 0 ? 0x30 : 0x10) | this.#counter(pid)]);
    if (spare > 0) packet[4] = spare - 1;
    if (spare > 1) packet[5] = 0;
    packet.set(bytes.subarray(at, at + take), 4 + spare);
    taken(take);
    return packet;
  }

  #counter(pid: number): number {
    const next = ((this.#counters.get(pid) ?? -1) + 1) & 15;
    this.#counters.set(pid, next);
    return next;
  }
}

/** All bytes of some snapshots' chunks, one after the other. */
export function joined(chunks: Iterable<Uint8Array>): Uint8Array {
  return Uint8Array.from(Buffer.concat([...chunks]));
}

/** Cuts bytes at the given distances, repeated as often as needed. */
export function* cutAt(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = Math.max(1, sizes[i % Math.max(1, sizes.length)] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
