import type { FrameRate } from '../../../../contract/index.ts';
import { filter } from '../../ffmpeg/filtergraph.ts';
import type { Crop } from './desktop.ts';

/** A screen of avfoundation by its number in the listing. bgr0: what a screen is made of, so that no unknown conversion colours it. */
export function avfoundationScreenInput(index: number, fps: FrameRate, cursor: boolean): string[] {
  return [
    ...['-thread_queue_size', '64', '-f', 'avfoundation', '-framerate', String(fps), '-pixel_format', 'bgr0'],
    ...['-capture_cursor', cursor ? '1' : '0', '-i', `${index}:none`],
  ];
}

export const cropFilter = ({ x, y, width, height }: Omit<Crop, 'screen'>): string =>
  filter('crop', { w: width, h: height, x, y });
