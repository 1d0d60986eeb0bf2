import type { EncoderId, EncoderStatus, PictureQuality } from '../../contract/encoders.ts';

/** Each encoder as people know it, and what does the work. */
export const ENCODER_WORDS: Record<EncoderId, string> = {
  libx264: 'x264, on the processor',
  libx265: 'x265, on the processor',
  h264_nvenc: 'NVENC H.264 (NVIDIA)',
  hevc_nvenc: 'NVENC HEVC (NVIDIA)',
  h264_qsv: 'Quick Sync H.264 (Intel)',
  hevc_qsv: 'Quick Sync HEVC (Intel)',
  h264_amf: 'AMF H.264 (AMD)',
  hevc_amf: 'AMF HEVC (AMD)',
  h264_videotoolbox: 'VideoToolbox H.264 (Apple)',
  hevc_videotoolbox: 'VideoToolbox HEVC (Apple)',
  h264_vaapi: 'VAAPI H.264 (graphics card)',
  hevc_vaapi: 'VAAPI HEVC (graphics card)',
};

export const QUALITY_WORDS: Record<PictureQuality, string> = {
  performance: 'Performance: costs the game least',
  balanced: 'Balanced',
  quality: 'Quality: looks best, costs most',
};

/** What the trial said, in a few words; `good` null while there is nothing to judge. */
export function trialWords({ state, trialFps }: EncoderStatus): { words: string; good: boolean | null } {
  if (state === 'works') {
    return {
      words: trialFps === undefined ? 'works' : `works: ${Math.round(trialFps)} pictures per second at 720p`,
      good: true,
    };
  }
  if (state === 'failed') return { words: 'does not work here', good: false };
  return { words: state === 'testing' ? 'being tested…' : 'not tested yet', good: null };
}

/** Which one `auto` means for a codec, as far as the trials tell; hardware before software. */
export function automaticEncoder(encoders: readonly EncoderStatus[], codec: EncoderStatus['codec']): EncoderId {
  const found = encoders.find((encoder) => encoder.codec === codec && (encoder.state === 'works' || !encoder.hardware));
  return found?.id ?? 'libx264';
}
