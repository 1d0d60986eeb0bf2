import { BitReader } from './bits.ts';

/** What a sequence parameter set says of the picture; sizes in pixels after cropping. */
export type PictureFormat = {
  /** profile_idc, constraint flags, level_idc (H.264 only) */
  profile?: [number, number, number];
  width?: number;
  height?: number;
};

const MAX_SIDE = 32_768;
/** Profiles whose set carries the chroma format, H.264 section 7.3.2.1.1. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

function skipScalingLists(bits: BitReader, count: number): void {
  for (let i = 0; i < count; i += 1) {
    if (bits.bit() === 0) continue;
    let last = 8;
    let next = 8;
    for (let j = 0; j < (i < 6 ? 16 : 64); j += 1) {
      if (next !== 0) next = (((last + bits.se()) % 256) + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

function sized(width: number, height: number, exhausted: boolean): { width: number; height: number } | null {
  const sane = width >= 1 && height >= 1 && width <= MAX_SIDE && height <= MAX_SIDE && !exhausted;
  return sane ? { width, height } : null;
}

/** Reads an H.264 SPS NAL unit (with its header byte): Rec. ITU-T H.264 sections 7.3.2.1.1 and 7.4.2.1.1. Never throws. */
export function readH264Sps(nal: Uint8Array): PictureFormat {
  const profile = nal[1];
  const constraints = nal[2];
  const level = nal[3];
  if (profile === undefined || constraints === undefined || level === undefined) return {};
  const bits = new BitReader(nal, 4);
  bits.ue();
  let chroma = 1;
  let separatePlanes = 0;
  if (HIGH_PROFILES.has(profile)) {
    chroma = bits.ue();
    if (chroma === 3) separatePlanes = bits.bit();
    bits.ue();
    bits.ue();
    bits.bit();
    if (bits.bit() === 1) skipScalingLists(bits, chroma === 3 ? 12 : 8);
  }
  bits.ue();
  const orderType = bits.ue();
  if (orderType === 0) bits.ue();
  else if (orderType === 1) {
    bits.bit();
    bits.se();
    bits.se();
    const cycle = Math.min(bits.ue(), 255);
    for (let i = 0; i < cycle; i += 1) bits.se();
  }
  bits.ue();
  bits.bit();
  const widthMbs = bits.ue() + 1;
  const mapUnits = bits.ue() + 1;
  const framesOnly = bits.bit();
  if (framesOnly === 0) bits.bit();
  bits.bit();
  const crop = bits.bit() === 1 ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const planes = separatePlanes === 1 ? 0 : chroma;
  const unitX = planes === 1 || planes === 2 ? 2 : 1;
  const unitY = (planes === 1 ? 2 : 1) * (2 - framesOnly);
  const size = sized(
    widthMbs * 16 - unitX * (left + right),
    (2 - framesOnly) * mapUnits * 16 - unitY * (top + bottom),
    bits.exhausted,
  );
  return { profile: [profile, constraints, level], ...size };
}

/** Reads an HEVC SPS NAL unit (with its two header bytes): Rec. ITU-T H.265 sections 7.3.2.2.1 and 7.3.3. Never throws. */
export function readHevcSps(nal: Uint8Array): PictureFormat {
  const bits = new BitReader(nal, 2);
  bits.skip(4);
  const subLayers = bits.bits(3);
  bits.skip(1 + 96);
  let detailBits = 0;
  for (let i = 0; i < subLayers; i += 1) detailBits += bits.bit() * 88 + bits.bit() * 8;
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  bits.skip(detailBits);
  bits.ue();
  const chroma = bits.ue();
  const separatePlanes = chroma === 3 ? bits.bit() : 0;
  const width = bits.ue();
  const height = bits.ue();
  const window = bits.bit() === 1 ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = window;
  const planes = separatePlanes === 1 ? 0 : chroma;
  const unitX = planes === 1 || planes === 2 ? 2 : 1;
  const unitY = planes === 1 ? 2 : 1;
  return { ...sized(width - unitX * (left + right), height - unitY * (top + bottom), bits.exhausted) };
}
