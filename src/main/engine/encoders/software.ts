import type { FrameRate } from '../../../contract/index.ts';
import type { EncoderPlan } from './plan.ts';

/** x264 at its cheapest, which every ffmpeg of note can do. */
export const softwareEncoder = (fps: FrameRate): EncoderPlan => ({
  id: 'libx264',
  codec: 'h264',
  globals: [],
  filters: ['format=yuv420p'],
  args: [
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
    ...['-g', String(fps), '-keyint_min', String(fps), '-sc_threshold', '0', '-bf', '0'],
  ],
});
