import { z } from 'zod';
import type { AskProgram } from '../../ffmpeg/abilities.ts';

const Box = { x: z.number(), y: z.number(), width: z.number().positive(), height: z.number().positive() };
/** Points, from the upper left corner of the main screen; `scale` is physical pixels to a point. */
const MacScreen = z.object({ ...Box, scale: z.number().positive() });
const MacWindow = z.object({ ...Box, id: z.int().nonnegative(), owner: z.string(), title: z.string() });
export const MacDesktop = z.object({ screens: z.array(MacScreen), windows: z.array(MacWindow) });
export type MacDesktop = z.infer<typeof MacDesktop>;
export type MacScreen = z.infer<typeof MacScreen>;
export type MacWindow = z.infer<typeof MacWindow>;

/**
 * JavaScript for Automation: screens in CoreGraphics' order, which is the one of avfoundation's "Capture screen N", and the windows of ordinary
 * programs. Owners and places need no permission; titles are empty without the one for screen recording.
 */
const SCRIPT = `
ObjC.import('AppKit');
ObjC.import('CoreGraphics');
function run() {
  const screens = ObjC.unwrap($.NSScreen.screens).map((screen) => {
    const id = ObjC.unwrap(screen.deviceDescription.objectForKey('NSScreenNumber'));
    const box = $.CGDisplayBounds(id);
    return { x: box.origin.x, y: box.origin.y, width: box.size.width, height: box.size.height, scale: Number(screen.backingScaleFactor) };
  });
  const list = ObjC.deepUnwrap(ObjC.castRefToObject($.CGWindowListCopyWindowInfo(1 | 16, 0))) || [];
  const windows = list
    .filter((w) => w.kCGWindowLayer === 0 && w.kCGWindowBounds.Width > 0 && w.kCGWindowBounds.Height > 0)
    .map((w) => ({
      id: w.kCGWindowNumber, owner: w.kCGWindowOwnerName || '', title: w.kCGWindowName || '',
      x: w.kCGWindowBounds.X, y: w.kCGWindowBounds.Y, width: w.kCGWindowBounds.Width, height: w.kCGWindowBounds.Height,
    }));
  return JSON.stringify({ screens, windows });
}`;

const LIST_MS = 5000;
const NOTHING: MacDesktop = { screens: [], windows: [] };

/** Screens and windows of a Mac; nothing where it cannot be asked. */
export async function askMacDesktop(ask: AskProgram): Promise<MacDesktop> {
  const { code, stdout } = await ask('/usr/bin/osascript', ['-l', 'JavaScript', '-e', SCRIPT], { timeoutMs: LIST_MS });
  return code === 0 ? parseMacDesktop(stdout.toString('utf8')) : NOTHING;
}

export function parseMacDesktop(text: string): MacDesktop {
  try {
    return MacDesktop.parse(JSON.parse(text));
  } catch {
    return NOTHING;
  }
}

/** A part of a screen in its physical pixels. */
export type Crop = { screen: number; x: number; y: number; width: number; height: number };

/** Where a window lies on the screen that shows most of it, cut at that screen's edges; undefined when it is on none. */
export function cropOf(window: MacWindow, screens: readonly MacScreen[]): Crop | undefined {
  const parts = screens.map((screen, index) => {
    const left = Math.max(window.x, screen.x);
    const top = Math.max(window.y, screen.y);
    const width = Math.min(window.x + window.width, screen.x + screen.width) - left;
    const height = Math.min(window.y + window.height, screen.y + screen.height) - top;
    return { screen, index, left, top, width, height };
  });
  const [best] = parts
    .filter(({ width, height }) => width > 1 && height > 1)
    .sort((a, b) => b.width * b.height - a.width * a.height);
  if (!best) return undefined;
  const { screen, index, left, top, width, height } = best;
  const pixels = (points: number): number => Math.round(points * screen.scale);
  return {
    screen: index,
    x: pixels(left - screen.x),
    y: pixels(top - screen.y),
    width: pixels(width),
    height: pixels(height),
  };
}
