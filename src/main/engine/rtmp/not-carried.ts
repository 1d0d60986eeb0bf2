import type { Problem } from '../../../contract/index.ts';

/** HEVC that cannot be shown at the live address; `instead` is how to get H.264 from where the stream comes from. */
export const hevcNotCarried = (liveUrl: string, instead: string): Problem => ({
  code: 'rtmp-not-carried',
  severity: 'warning',
  message: 'The live address does not carry this stream: HEVC cannot go over RTMP with this ffmpeg.',
  remedy: `Open ${liveUrl} instead, or ${instead}.`,
});
