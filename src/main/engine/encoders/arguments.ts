import type { EncoderId, FrameRate, PictureQuality } from '../../../contract/index.ts';
import type { EncoderPlan } from './plan.ts';
import { kindOf } from './table.ts';

/** What is asked of an encoder. */
export type EncoderRequest = {
  fps: FrameRate;
  quality: PictureQuality;
  /** null lets the quality decide */
  bitrateKbps: number | null;
  /** of the encoded picture, pixels */
  width: number;
  height: number;
  /** `/dev/dri/renderD*` for VAAPI, null where none was found */
  renderNode: string | null;
};

type Builder = (request: EncoderRequest) => Pick<EncoderPlan, 'filters' | 'args'> & { globals?: readonly string[] };

const pick = <T>({ quality }: EncoderRequest, values: Record<PictureQuality, T>): T => values[quality];

/** A keyframe every second and none between; no B-frames, which would hold every picture back until the next few are there. */
const oneSecondGop = ({ fps }: EncoderRequest): string[] => ['-g', String(fps), '-bf', '0'];

/** Steady around the wanted rate, with one second's worth of room. */
const steadyRate = (kbps: number): string[] => ['-b:v', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${kbps}k`];

/**
 * kbit/s for an encoder that knows no constant quality everywhere (VideoToolbox: on Apple's own chips only). Bits per pixel: 0.07, 0.1 and 0.18
 * for H.264, two thirds of it for HEVC; 1920x1080 at 60 in `balanced` comes to 12.4 Mbit/s.
 */
export function rateFor(codec: EncoderPlan['codec'], request: EncoderRequest): number {
  const bits = pick(request, { performance: 0.07, balanced: 0.1, quality: 0.18 });
  const rate = bits * request.width * request.height * request.fps * (codec === 'hevc' ? 2 / 3 : 1);
  return Math.max(300, Math.round(rate / 1000));
}

const x264: Builder = (request) => {
  const { fps, bitrateKbps } = request;
  const preset = pick(request, { performance: 'ultrafast', balanced: 'veryfast', quality: 'faster' });
  // 23 is x264's own default
  const crf = pick(request, { performance: [], balanced: ['-crf', '21'], quality: ['-crf', '18'] });
  return {
    filters: ['format=yuv420p'],
    args: [
      ...['-c:v', 'libx264', '-preset', preset, '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
      ...(bitrateKbps === null ? crf : steadyRate(bitrateKbps)),
      ...['-g', String(fps), '-keyint_min', String(fps), '-sc_threshold', '0', '-bf', '0'],
    ],
  };
};

const x265: Builder = (request) => {
  const { fps, bitrateKbps } = request;
  const preset = pick(request, { performance: 'ultrafast', balanced: 'superfast', quality: 'veryfast' });
  const crf = pick(request, { performance: '26', balanced: '23', quality: '20' });
  // ffmpeg's own -g becomes keyint; the rest x265 takes from here only. Its information lines are no warnings of ours
  const params = `keyint=${fps}:min-keyint=${fps}:scenecut=0:open-gop=0:bframes=0:repeat-headers=1:log-level=warning`;
  return {
    filters: ['format=yuv420p'],
    args: [
      ...['-c:v', 'libx265', '-preset', preset, '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
      ...(bitrateKbps === null ? ['-crf', crf] : steadyRate(bitrateKbps)),
      ...['-x265-params', params, '-g', String(fps), '-bf', '0'],
    ],
  };
};

const nvenc =
  (codec: EncoderPlan['codec']): Builder =>
  (request) => {
    const { fps, quality, bitrateKbps } = request;
    const always = ['-forced-idr', '1', '-no-scenecut', '1', '-g', String(fps)];
    if (quality === 'quality') {
      // the seed's profile for OBS, except that its keyframe every 120 pictures becomes one a second. Its 32 pictures of lookahead and
      // four B-frames hold every picture back by 36 pictures: 0.6 s at 60 fps
      const kbps = bitrateKbps ?? 50_000;
      return {
        filters: ['format=nv12'],
        args: [
          ...[
            '-c:v',
            `${codec}_nvenc`,
            '-preset',
            'p7',
            '-tune',
            'hq',
            '-profile:v',
            codec === 'hevc' ? 'main' : 'high',
          ],
          ...['-multipass', '2', '-rc-lookahead', '32', '-spatial_aq', '1', '-temporal_aq', '1'],
          ...['-bf', '4', '-b_ref_mode', 'middle', '-rc', 'vbr'],
          ...['-b:v', `${kbps}k`, '-maxrate', `${Math.round(kbps * 1.2)}k`, '-bufsize', `${Math.round(kbps * 2.4)}k`],
          ...always,
        ],
      };
    }
    const [preset, tune, cq] = quality === 'performance' ? ['p1', 'ull', '26'] : ['p4', 'll', '23'];
    return {
      filters: ['format=nv12'],
      args: [
        ...['-c:v', `${codec}_nvenc`, '-preset', preset, '-tune', tune, '-zerolatency', '1', '-delay', '0', '-bf', '0'],
        ...(bitrateKbps === null ? ['-rc', 'vbr', '-cq', cq, '-b:v', '0'] : ['-rc', 'cbr', ...steadyRate(bitrateKbps)]),
        ...always,
      ],
    };
  };

const qsv =
  (codec: EncoderPlan['codec']): Builder =>
  (request) => {
    const { bitrateKbps } = request;
    const preset = pick(request, { performance: 'veryfast', balanced: 'medium', quality: 'slower' });
    const level = pick(request, { performance: '26', balanced: '23', quality: '19' });
    return {
      filters: ['format=nv12'],
      args: [
        ...['-c:v', `${codec}_qsv`, '-preset', preset, '-async_depth', '1', '-forced_idr', '1', '-idr_interval', '0'],
        ...(bitrateKbps === null ? ['-global_quality', level] : steadyRate(bitrateKbps)),
        ...oneSecondGop(request),
      ],
    };
  };

const amf =
  (codec: EncoderPlan['codec']): Builder =>
  (request) => {
    const { bitrateKbps } = request;
    const usage = pick(request, { performance: 'ultralowlatency', balanced: 'lowlatency', quality: 'transcoding' });
    const quality = pick(request, { performance: 'speed', balanced: 'balanced', quality: 'quality' });
    const qp = pick(request, { performance: '26', balanced: '23', quality: '19' });
    return {
      filters: ['format=nv12'],
      args: [
        ...['-c:v', `${codec}_amf`, '-usage', usage, '-quality', quality],
        ...(bitrateKbps === null
          ? ['-rc', 'cqp', '-qp_i', qp, '-qp_p', qp]
          : ['-rc', 'cbr', ...steadyRate(bitrateKbps)]),
        ...(codec === 'hevc' ? ['-header_insertion_mode', 'idr', '-gops_per_idr', '1'] : []),
        ...oneSecondGop(request),
      ],
    };
  };

const videotoolbox =
  (codec: EncoderPlan['codec']): Builder =>
  (request) => {
    const kbps = request.bitrateKbps ?? rateFor(codec, request);
    return {
      filters: ['format=nv12'],
      args: [
        ...['-c:v', `${codec}_videotoolbox`, '-profile:v', codec === 'hevc' ? 'main' : 'high'],
        // its own software encoder is slower than x264: then x264 shall do it
        ...['-allow_sw', '0', '-realtime', '1', '-b:v', `${kbps}k`],
        ...oneSecondGop(request),
      ],
    };
  };

const vaapi =
  (codec: EncoderPlan['codec']): Builder =>
  (request) => {
    const { bitrateKbps, renderNode } = request;
    const qp = pick(request, { performance: '26', balanced: '23', quality: '19' });
    return {
      globals: ['-vaapi_device', renderNode ?? '/dev/dri/renderD128'],
      filters: ['format=nv12', 'hwupload'],
      args: [
        ...['-c:v', `${codec}_vaapi`, '-idr_interval', '0'],
        ...(bitrateKbps === null ? ['-rc_mode', 'CQP', '-qp', qp] : ['-rc_mode', 'CBR', ...steadyRate(bitrateKbps)]),
        ...oneSecondGop(request),
      ],
    };
  };

const BUILDERS: Record<EncoderId, Builder> = {
  libx264: x264,
  libx265: x265,
  h264_nvenc: nvenc('h264'),
  hevc_nvenc: nvenc('hevc'),
  h264_qsv: qsv('h264'),
  hevc_qsv: qsv('hevc'),
  h264_amf: amf('h264'),
  hevc_amf: amf('hevc'),
  h264_videotoolbox: videotoolbox('h264'),
  hevc_videotoolbox: videotoolbox('hevc'),
  h264_vaapi: vaapi('h264'),
  hevc_vaapi: vaapi('hevc'),
};

/**
 * An encoder's arguments, pure. Options by ffmpeg's manual and `ffmpeg -h encoder=NAME` (5.1.9 for x264, x265, NVENC, QSV and VAAPI; the manual
 * alone for AMF and VideoToolbox). The lowest of three qualities is tuned for the least delay and load.
 */
export function encoderPlan(id: EncoderId, request: EncoderRequest): EncoderPlan {
  return { id, codec: kindOf(id).codec, globals: [], ...BUILDERS[id](request) };
}
