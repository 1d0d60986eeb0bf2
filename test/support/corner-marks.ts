import x11 from 'x11';
import type { XDisplay } from 'x11';
import { within } from './wait.ts';

declare module 'x11' {
  interface XWindowValues {
    winGravity?: number;
  }
}

/** gravity of a child window: it keeps its place relative to this corner when the parent is resized (X11 protocol, CreateWindow) */
const CORNERS = [
  { gravity: 1, right: false, bottom: false },
  { gravity: 3, right: true, bottom: false },
  { gravity: 7, right: false, bottom: true },
  { gravity: 9, right: true, bottom: true },
] as const;
const SIDE = 40;

/**
 * Puts a square of `colour` (0xRRGGBB) into each corner of a window, as child windows that move with their corner: a picture that
 * shows all four is neither cropped nor shifted. `width` and `height` are the window's present size.
 */
export async function addCornerMarks(options: {
  display: string;
  window: number;
  width: number;
  height: number;
  colour: number;
}): Promise<{ close: () => Promise<void> }> {
  const { display, window, width, height, colour } = options;
  const opening = new Promise<XDisplay>((resolve, reject) => {
    const client = x11.createClient({ display, shm: false, disableBigRequests: true }, (error, opened) => {
      if (opened) resolve(opened);
      else reject(error ?? new Error('no display'));
    });
    client.on('error', () => undefined); // the window may go first
  });
  const { client } = await within(`display ${display}`, 15_000, opening);
  for (const { gravity, right, bottom } of CORNERS) {
    const id = client.AllocID();
    client.CreateWindow(id, window, right ? width - SIDE : 0, bottom ? height - SIDE : 0, SIDE, SIDE, 0, 0, 1, 0, {
      backgroundPixel: colour,
      winGravity: gravity,
    });
    client.MapWindow(id);
  }
  const drawn = new Promise<void>((resolve, reject) => {
    client.GetInputFocus((error) => {
      if (error) reject(error);
      else resolve();
      return true;
    });
  });
  await within('the marks', 15_000, drawn);
  return {
    close: async () => {
      const { stream } = client;
      if (!stream || stream.destroyed) return;
      const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
      client.terminate();
      await within('the X connection to close', 5000, closed);
    },
  };
}
