import type { EncoderId, VideoCodec } from '../../../contract/index.ts';

/** The encoder's part of one capture run. */
export type EncoderPlan = {
  id: EncoderId;
  codec: VideoCodec;
  /** before the inputs, such as `-vaapi_device` */
  globals: readonly string[];
  /** last filters of the picture: the pixel format the encoder takes, and its way to the graphics card */
  filters: readonly string[];
  /** codec, rate control and keyframes; the frame rate itself is the capture's */
  args: readonly string[];
};
