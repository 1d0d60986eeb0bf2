import assert from 'node:assert/strict';
import {
  NULL_PID,
  PAT_PID,
  TS_PACKET_BYTES,
  discontinuityIndicated,
  payloadStart,
  payloadUnitStarts,
  pidOf,
} from '../../transport/packet.ts';
import { emptyPesHeader, readPesHeader } from '../../transport/pes.ts';

export type Pes = {
  pid: number;
  pts: number;
  dts: number;
  key: boolean;
  data: Uint8Array;
  at: number;
  marked: boolean;
};

const SECTION_PIDS = new Set([PAT_PID, 0x11, 0x1000]);

/**
 * A demuxer that forgives nothing: whole packets, every jump of a continuity counter announced (ISO/IEC 13818-1 section 2.4.3.3), no
 * PES packet without its beginning, none shorter or longer than its told length. Answers the PES packets in order of their beginnings;
 * unless `whole` the last one of each PID is left out when it is unfinished.
 */
export function demux(bytes: Uint8Array, { whole = true } = {}): Pes[] {
  const counters = new Map<number, number>();
  const marked = new Set<number>();
  const open = new Map<number, { pes: Pes; parts: Uint8Array[]; told: number }>();
  const all: Pes[] = [];
  assert.equal(bytes.length % TS_PACKET_BYTES, 0, 'a packet cut in two');
  const finish = (pid: number): void => {
    const under = open.get(pid);
    if (!under) return;
    const { pes, parts, told } = under;
    const data = Buffer.concat(parts);
    if (told > 0) assert.equal(data.length, told, `PES packet of ${pid} at ${pes.at}`);
    const header = emptyPesHeader();
    readPesHeader(data, 0, data.length, header);
    pes.data = Uint8Array.from(data.subarray(header.headerLength));
    open.delete(pid);
  };
  for (let p = 0; p < bytes.length; p += TS_PACKET_BYTES) {
    assert.equal(bytes[p], 0x47, `no sync byte at ${p}`);
    const pid = pidOf(bytes, p);
    if (pid === NULL_PID) continue;
    const control = bytes[p + 3] ?? 0;
    const counter = control & 15;
    const hasPayload = (control & 0x10) !== 0;
    const before = counters.get(pid);
    const announced = (control & 0x20) !== 0 && discontinuityIndicated(bytes, p);
    if (announced) {
      marked.add(pid);
      finish(pid);
    } else if (before !== undefined) {
      assert.equal(counter, hasPayload ? (before + 1) & 15 : before, `continuity of PID ${pid} at ${p}`);
    }
    counters.set(pid, counter);
    if (!hasPayload || SECTION_PIDS.has(pid)) continue;
    const from = payloadStart(bytes, p);
    assert.ok(from > 0 && from < TS_PACKET_BYTES, `payload at ${p}`);
    const payload = bytes.subarray(p + from, p + TS_PACKET_BYTES);
    if (!payloadUnitStarts(bytes, p)) {
      const under = open.get(pid);
      assert.ok(under, `PES packet of ${pid} without a beginning at ${p}`);
      under.parts.push(payload);
      continue;
    }
    finish(pid);
    const header = emptyPesHeader();
    assert.ok(readPesHeader(bytes, p + from, p + TS_PACKET_BYTES, header), `PES header at ${p}`);
    const pes = { pid, pts: header.pts, dts: header.dts, key: false, data: payload, at: p, marked: marked.delete(pid) };
    all.push(pes);
    open.set(pid, { pes, parts: [payload], told: header.packetLength > 0 ? header.packetLength + 6 : 0 });
  }
  for (const [pid, { pes, parts, told }] of [...open]) {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (whole || told === 0 || length >= told) finish(pid);
    else all.splice(all.indexOf(pes), 1);
  }
  return all;
}
