import type { FrameRate } from '../../../../contract/index.ts';
import { filter } from '../../ffmpeg/filtergraph.ts';

/** A part of a screen in its physical pixels. */
export type Part = { x: number; y: number; width: number; height: number };

// what these two give lies in the graphics card's memory
const DOWN = `${filter('hwdownload', {})},${filter('format', { pix_fmts: 'bgra' })}`;
const lavfi = (graph: string): string[] => ['-thread_queue_size', '64', '-f', 'lavfi', '-i', `${graph},${DOWN}`];

/**
 * A window by Windows Graphics Capture (ffmpeg 8): covered and on any graphics card. Its size is fixed at the start; a window that changes its own
 * is scaled into it with its aspect kept.
 */
export const gfxcaptureInput = (hwnd: number, fps: FrameRate): string[] =>
  lavfi(
    filter('gfxcapture', {
      hwnd,
      max_framerate: fps,
      capture_cursor: 0,
      display_border: 0,
      resize_mode: 'scale_aspect',
    }),
  );

/** A screen, or a part of it, by desktop duplication (ffmpeg 6). */
export const ddagrabInput = (output: number, part: Part | undefined, fps: FrameRate, mouse: boolean): string[] =>
  lavfi(
    filter('ddagrab', {
      output_idx: output,
      framerate: fps,
      draw_mouse: mouse ? 1 : 0,
      ...(part ? { offset_x: part.x, offset_y: part.y, video_size: `${part.width}x${part.height}` } : {}),
    }),
  );

const gdigrab = (fps: FrameRate, mouse: boolean): string[] => [
  ...['-thread_queue_size', '64', '-f', 'gdigrab', '-framerate', String(fps), '-draw_mouse', mouse ? '1' : '0'],
];

/** The whole title as it is: it is one argument of ffmpeg and one option of nothing else, so nothing in it needs quoting. */
export const gdigrabWindowInput = (title: string, fps: FrameRate): string[] => [
  ...gdigrab(fps, false),
  ...['-i', `title=${title}`],
];

/** The desktop of all screens, or a part of it; coordinates are the desktop's. */
export const gdigrabDesktopInput = (part: Part | undefined, fps: FrameRate): string[] => [
  ...gdigrab(fps, true),
  ...(part
    ? ['-offset_x', String(part.x), '-offset_y', String(part.y), '-video_size', `${part.width}x${part.height}`]
    : []),
  ...['-i', 'desktop'],
];
