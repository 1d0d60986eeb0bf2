import x11 from 'x11';
import type { XComposite, XEvent } from 'x11';
import type { X11Connection } from './connection.ts';
import { Listeners } from './connection.ts';
import { X11Error } from './errors.ts';
import type { X11ErrorCode } from './errors.ts';
import { attributes, isViewable, rootGeometry } from './windows.ts';

/** Position in root coordinates and inner size, pixels. */
interface WindowGeometry {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type WindowEvent =
  | ({ readonly type: 'geometry' } & WindowGeometry)
  | { readonly type: 'unmapped' }
  | { readonly type: 'mapped' }
  | { readonly type: 'gone' };

export interface WindowWatch {
  readonly id: number;
  /** whether covered and off-screen parts of the window are kept by the server for us */
  readonly redirected: boolean;
  /** as known now; the last one after the window is gone */
  readonly geometry: WindowGeometry;
  readonly mapped: boolean;
  release(): Promise<void>;
}

/**
 * Holds a window whole for capture and tells what happens to it, until released or gone.
 *
 * While redirected by XComposite (Automatic) the server keeps the window's picture in memory, so covered and off-screen parts are read
 * whole and the screen looks as before. Measured with openbox and without a window manager: redirecting the client window is enough for
 * `ffmpeg -f x11grab -window_id CLIENT`, its frame need not be. An unmapped window has no picture either way. Automatic redirections of
 * several clients live together, also beside a compositor's Manual one; a refusal is reported, not thrown.
 *
 * Errors: `X11Error` `no-window`, `lost`, `timeout`, `closed`.
 */
export async function watchWindow(
  connection: X11Connection,
  id: number,
  listener: (event: WindowEvent) => void,
): Promise<WindowWatch> {
  const events = new Listeners<WindowEvent>();
  events.add(listener);
  let live = true;
  // Asked through a function: it changes while we wait, which the compiler does not see.
  const over = (): boolean => !live;
  let started = false;
  let geometry: WindowGeometry = { x: 0, y: 0, width: 0, height: 0 };
  let mapped = false;
  let mapEvent: boolean | undefined;
  let releaseEvents: (() => Promise<void>) | undefined;
  let reading = false;
  let wanted = 0;

  const stop = (): void => {
    live = false;
    removeListener();
  };
  const gone = (): void => {
    if (!live) return;
    stop();
    void releaseEvents?.();
    if (started) events.emit({ type: 'gone' });
  };
  // Always read afresh: the positions in real and synthetic ConfigureNotify (ICCCM 4.1.5) are relative to different windows.
  const refresh = async (): Promise<void> => {
    wanted++;
    if (reading) return;
    reading = true;
    try {
      for (let answered = 0; answered < wanted;) {
        answered = wanted;
        const now = await rootGeometry(connection, id);
        if (over()) return;
        if (sameGeometry(now, geometry)) continue;
        geometry = now;
        if (started) events.emit({ type: 'geometry', ...now });
      }
    } catch (error) {
      // A lost connection is told by the connection; a timeout leaves the last known geometry.
      if (error instanceof X11Error && error.code === 'no-window') gone();
    } finally {
      reading = false;
    }
  };
  const onEvent = (event: XEvent): void => {
    switch (event.name) {
      case 'ConfigureNotify':
        if (event.wid === id) void refresh();
        return;
      case 'ReparentNotify':
        if (event.event === id) void refresh();
        return;
      case 'DestroyNotify':
        if (event.event === id && event.wid === id) gone();
        return;
      case 'MapNotify':
      case 'UnmapNotify':
        if (event.event !== id || event.wid !== id) return;
        mapped = mapEvent = event.name === 'MapNotify';
        if (started) events.emit({ type: mapped ? 'mapped' : 'unmapped' });
        if (mapped) void refresh();
        return;
      default:
    }
  };

  const removeListener = connection.onEvent(onEvent);
  try {
    releaseEvents = await connection.select(id, x11.eventMask.StructureNotify);
    const composite = await connection.extension<XComposite>((reply) => connection.client.require('composite', reply));
    const redirected = composite ? await redirect(connection, composite, id) : false;
    const [found, now] = await Promise.all([attributes(connection, id), rootGeometry(connection, id)]);
    // Several packets are parsed before this line runs: an event may be newer than the answer, never older.
    mapped = mapEvent ?? isViewable(found);
    geometry = now;
    if (over()) throw new X11Error('no-window', 'The window no longer exists.');
    started = true;
    void refresh();
    const takeBack = releaseEvents;
    return {
      id,
      redirected,
      get geometry() {
        return geometry;
      },
      get mapped() {
        return mapped;
      },
      release: async () => {
        if (!live) return;
        stop();
        events.clear();
        await takeBack();
        if (composite && redirected) await unredirect(connection, composite, id);
      },
    };
  } catch (error) {
    stop();
    await releaseEvents?.();
    throw error;
  }
}

async function redirect(connection: X11Connection, composite: XComposite, id: number): Promise<boolean> {
  try {
    await connection.checked(() => composite.RedirectWindow(id, composite.Redirect.Automatic));
    return true;
  } catch (error) {
    if (error instanceof X11Error && (error.code === 'taken' || error.code === 'refused')) return false;
    throw error;
  }
}

/** CompositeUnredirectWindow, Automatic (Composite 0.4, section 5); harmless where the window or the server is gone. */
async function unredirect(connection: X11Connection, composite: XComposite, id: number): Promise<void> {
  const { client } = connection;
  const request = Buffer.alloc(12);
  request.writeUInt8(composite.majorOpcode, 0);
  request.writeUInt8(3, 1);
  request.writeUInt16LE(request.length / 4, 2);
  request.writeUInt32LE(id, 4);
  request.writeUInt8(composite.Redirect.Automatic, 8);
  try {
    await connection.checked(() => {
      client.seq_num++;
      client.pack_stream.put(request);
      client.pack_stream.submit();
    });
  } catch (error) {
    const moot: readonly X11ErrorCode[] = ['no-window', 'lost', 'closed'];
    if (!(error instanceof X11Error && moot.includes(error.code))) throw error;
  }
}

function sameGeometry(a: WindowGeometry, b: WindowGeometry): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}
