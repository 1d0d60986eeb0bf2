import { EncoderId, type VideoCodec } from '../../../contract/index.ts';

export type EncoderFamily = 'software' | 'nvenc' | 'qsv' | 'amf' | 'videotoolbox' | 'vaapi';

export type EncoderKind = { id: EncoderId; codec: VideoCodec; family: EncoderFamily; hardware: boolean };

/** Systems whose ffmpeg can have the family; elsewhere it is not offered. */
const SYSTEMS: Record<EncoderFamily, readonly NodeJS.Platform[] | 'all'> = {
  software: 'all',
  nvenc: ['win32', 'linux'],
  qsv: ['win32', 'linux'],
  amf: ['win32'],
  videotoolbox: ['darwin'],
  vaapi: ['linux'],
};

/**
 * Best first: the vendor's own interface before the general one (VAAPI), which does without some of its features; software last, because it
 * takes the processor from the game.
 */
const BEST_FIRST: readonly EncoderFamily[] = ['nvenc', 'videotoolbox', 'amf', 'qsv', 'vaapi', 'software'];

export function kindOf(id: EncoderId): EncoderKind {
  const [first = '', second] = id.split('_');
  const family = BEST_FIRST.find((name) => name === second) ?? 'software';
  return {
    id,
    codec: first === 'hevc' || first === 'libx265' ? 'hevc' : 'h264',
    family,
    hardware: family !== 'software',
  };
}

/** The encoders offered on a system, best first. */
export const encodersOf = (platform: NodeJS.Platform): readonly EncoderKind[] =>
  EncoderId.options
    .map(kindOf)
    .filter(({ family }) => {
      const systems = SYSTEMS[family];
      return systems === 'all' || systems.includes(platform);
    })
    .sort((a, b) => BEST_FIRST.indexOf(a.family) - BEST_FIRST.indexOf(b.family));

/** How people call it. */
export function encoderName(id: EncoderId): string {
  const { family, codec } = kindOf(id);
  const names = {
    nvenc: 'NVENC',
    qsv: 'Quick Sync',
    amf: 'AMF',
    videotoolbox: 'VideoToolbox',
    vaapi: 'VAAPI',
  } as const;
  if (family === 'software') return id === 'libx265' ? 'x265' : 'x264';
  return `${names[family]} ${codec === 'hevc' ? 'HEVC' : 'H.264'}`;
}
