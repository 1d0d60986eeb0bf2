import type { VideoCodec } from '../../../contract/replay.ts';
import { readH264Sps, readHevcSps, type PictureFormat } from './sps.ts';

/** Parameter sets longer than this in one access unit are compared and parsed by their first bytes only. */
const MAX_PARAMETER_BYTES = 4096;
/** An access unit without a slice in its first bytes is not a keyframe we could use. */
const MAX_SCAN_BYTES = 256 * 1024;

export type UnitKind = 'unknown' | 'key' | 'other';

type NalClass = 'key' | 'other' | 'sps' | 'pps' | 'vps' | 'skip';

/** H.264 table 7-1: 1..5 are slices (5 = IDR), 7 SPS, 8 PPS. */
function classifyH264(header: number): NalClass {
  const type = header & 0x1f;
  if (type === 5) return 'key';
  if (type >= 1 && type <= 4) return 'other';
  if (type === 7) return 'sps';
  return type === 8 ? 'pps' : 'skip';
}

/** H.265 table 7-1: 0..31 are slices (16..23 = IRAP), 32 VPS, 33 SPS, 34 PPS. */
function classifyHevc(header: number): NalClass {
  const type = (header >> 1) & 0x3f;
  if (type < 32) return type >= 16 && type <= 23 ? 'key' : 'other';
  if (type === 32) return 'vps';
  if (type === 33) return 'sps';
  return type === 34 ? 'pps' : 'skip';
}

/**
 * Walks the NAL units of one access unit in Annex B form (H.264 Annex B.1) up to its first slice, which tells a keyframe
 * (IDR, or IRAP) from the rest, and keeps the parameter sets that came before. Bytes arrive in pieces cut anywhere.
 */
export class NalScanner {
  kind: UnitKind = 'unknown';
  hasSps = false;
  hasPps = false;
  readonly #parameters = new Uint8Array(MAX_PARAMETER_BYTES);
  #length = 0;
  #spsFrom = 0;
  #spsTo = 0;
  #codec: VideoCodec = 'h264';
  #zeros = 0;
  #atHeader = false;
  #capturing: NalClass = 'skip';
  #scanned = 0;

  /** Forgets everything: an access unit begins. */
  begin(codec: VideoCodec): void {
    this.kind = 'unknown';
    this.hasSps = false;
    this.hasPps = false;
    this.#length = 0;
    this.#spsTo = 0;
    this.#codec = codec;
    this.#zeros = 0;
    this.#atHeader = false;
    this.#capturing = 'skip';
    this.#scanned = 0;
  }

  /** The parameter sets of this access unit, one after the other (a view, valid until `begin`). */
  get parameters(): Uint8Array {
    return this.#parameters.subarray(0, this.#length);
  }

  /** Size and profile from the SPS of this access unit. */
  format(): PictureFormat {
    if (this.#spsTo === 0) return {};
    const sps = this.#parameters.subarray(this.#spsFrom, this.#spsTo);
    return this.#codec === 'h264' ? readH264Sps(sps) : readHevcSps(sps);
  }

  /** Takes the next bytes of the access unit; stops reading once `kind` is known. */
  scan(buf: Uint8Array, from: number, to: number): UnitKind {
    if (this.kind !== 'unknown') return this.kind;
    let zeros = this.#zeros;
    for (let i = from; i < to; i += 1) {
      const byte = buf[i] ?? 0;
      if (this.#atHeader) {
        this.#atHeader = false;
        zeros = 0;
        if (this.#startNal(byte)) return this.kind;
      } else if (byte === 1 && zeros >= 2) {
        this.#endNal(zeros);
        this.#atHeader = true;
        zeros = 0;
        continue;
      }
      if (this.#capturing !== 'skip' && this.#length < MAX_PARAMETER_BYTES) {
        this.#parameters[this.#length] = byte;
        this.#length += 1;
      }
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    this.#zeros = zeros;
    this.#scanned += to - from;
    if (this.#scanned > MAX_SCAN_BYTES) this.kind = 'other';
    return this.kind;
  }

  /** True when the NAL unit whose header byte this is settles the kind. */
  #startNal(header: number): boolean {
    const nal = this.#codec === 'h264' ? classifyH264(header) : classifyHevc(header);
    if (nal === 'key' || nal === 'other') {
      this.kind = nal;
      return true;
    }
    this.#capturing = nal;
    if (nal === 'sps') {
      this.hasSps = true;
      this.#spsFrom = this.#length;
    } else if (nal === 'pps') this.hasPps = true;
    return false;
  }

  /** A start code ended the NAL unit under way; the zeros before it are not part of it (trailing_zero_8bits). */
  #endNal(zeros: number): void {
    if (this.#capturing === 'skip') return;
    if (this.#length < MAX_PARAMETER_BYTES) this.#length = Math.max(0, this.#length - zeros);
    if (this.#capturing === 'sps') this.#spsTo = this.#length;
    this.#capturing = 'skip';
  }
}
