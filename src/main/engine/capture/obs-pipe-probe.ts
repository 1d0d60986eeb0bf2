import { PacketAligner } from '../transport/align.ts';
import { PAT_PID, TS_PACKET_BYTES, payloadStart, payloadUnitStarts, pidOf } from '../transport/packet.ts';
import { SectionAssembler, parsePat, parsePmt } from '../transport/psi.ts';

/** `nothing`: no program table yet, so it may not be MPEG-TS at all. */
export type ProbeFinding = 'nothing' | 'table' | 'no-video' | 'video';

/** stream_type of H.264 and HEVC, ISO/IEC 13818-1 table 2-34. */
const VIDEO_TYPES = new Set([0x1b, 0x24]);

/**
 * Looks at the beginning of a stream until it finds a program with video in it, to be able to say what is wrong when none comes. Costs
 * nothing afterwards; never throws.
 */
export class StreamProbe {
  finding: ProbeFinding = 'nothing';
  readonly #aligner = new PacketAligner((buf, from, count) => {
    for (let p = from; p < from + count * TS_PACKET_BYTES; p += TS_PACKET_BYTES) this.#packet(buf, p);
  });
  readonly #pat = new SectionAssembler();
  readonly #pmt = new SectionAssembler();
  #pmtPid = -1;

  push(chunk: Uint8Array): void {
    if (this.finding !== 'video') this.#aligner.push(chunk);
  }

  #packet(buf: Uint8Array, p: number): void {
    const pid = pidOf(buf, p);
    if (pid !== PAT_PID && pid !== this.#pmtPid) return;
    const from = payloadStart(buf, p);
    if (from < 0 || from >= TS_PACKET_BYTES) return;
    const [at, end, starts] = [p + from, p + TS_PACKET_BYTES, payloadUnitStarts(buf, p)];
    if (pid === PAT_PID) {
      const section = this.#pat.push(buf, at, end, starts);
      const entry = section && parsePat(section);
      if (!entry) return;
      this.#pmtPid = entry.pmtPid;
      if (this.finding === 'nothing') this.finding = 'table';
      return;
    }
    const section = this.#pmt.push(buf, at, end, starts);
    const map = section && parsePmt(section);
    if (map) this.finding = map.streams.some(({ type }) => VIDEO_TYPES.has(type)) ? 'video' : 'no-video';
  }
}
