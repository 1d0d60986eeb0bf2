import type { FrameRate } from '../../../../contract/index.ts';
import type { CameraMode } from '../../ffmpeg/listings.ts';
import { rateOf } from './modes.ts';

const size = ({ width, height }: CameraMode): string => `${width}x${height}`;
/** Cameras deliver in bursts while the processor is busy; the default of 8 packets loses pictures then. */
const QUEUE = ['-thread_queue_size', '64'];

/** Without a mode the camera's own first one is taken. */
export function v4l2Input(device: string, mode: CameraMode | undefined, fps: FrameRate): string[] {
  return [
    ...QUEUE,
    ...['-f', 'v4l2'],
    ...(mode ? ['-framerate', String(rateOf(mode, fps)), '-input_format', mode.format, '-video_size', size(mode)] : []),
    ...['-i', device],
  ];
}

export function dshowInput(device: string, mode: CameraMode | undefined, fps: FrameRate): string[] {
  return [
    ...QUEUE,
    // real-time buffer: its 3 MB hold one picture of a capture card
    ...['-f', 'dshow', '-rtbufsize', '256M'],
    ...(mode
      ? [
          ...['-framerate', String(rateOf(mode, fps)), '-video_size', size(mode)],
          ...(mode.compressed ? ['-vcodec', mode.format] : ['-pixel_format', mode.format]),
        ]
      : []),
    ...['-i', `video=${device}`],
  ];
}

/** By number: a name may hold a colon, which would begin the name of a microphone. */
export function avfoundationCameraInput(index: number, mode: CameraMode | undefined, fps: FrameRate): string[] {
  return [
    ...QUEUE,
    ...['-f', 'avfoundation'],
    ...(mode ? ['-framerate', rateOf(mode, fps).toFixed(6), '-video_size', size(mode)] : []),
    ...['-i', `${index}:none`],
  ];
}
