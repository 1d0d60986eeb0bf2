import { StudioError, type Source } from '../../../contract/index.ts';
import { openDisplay, type X11Display } from '../../x11/display.ts';
import { X11Error } from '../../x11/errors.ts';
import type { X11Screen } from '../../x11/screens.ts';
import type { X11Window } from '../../x11/windows.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { Log } from '../logging/log.ts';
import { x11ScreenInput, x11WindowInput } from './args.ts';
import type { GrabbingBackend, OpenSource, SourceEvent } from './backend.ts';
import { gameOf } from './games.ts';
import { parseRegion } from './region.ts';

const MIN_SIDE = 16;

const windowSourceId = (xid: number): string => `window:0x${xid.toString(16)}`;

const xidOf = (id: string): number | undefined => {
  const match = /^window:0x([0-9a-f]{1,8})$/.exec(id);
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16);
};

const screenIndexOf = (id: string): number | undefined => {
  const match = /^screen:(\d{1,3})$/.exec(id);
  return match?.[1] === undefined ? undefined : Number(match[1]);
};

const windowSource = (window: X11Window): Source => {
  const tooSmall = window.width < MIN_SIDE || window.height < MIN_SIDE;
  const reason = !window.viewable
    ? 'It is minimised: show the window first.'
    : tooSmall
      ? 'The window is too small.'
      : undefined;
  const game = gameOf({
    title: window.title,
    classes: [window.className, window.instanceName],
    executable: window.processName,
  });
  const app = game ?? window.processName ?? window.className;
  return {
    id: windowSourceId(window.id),
    kind: 'window',
    name: window.title,
    ...(app === undefined ? {} : { app }),
    ...(tooSmall ? {} : { width: window.width, height: window.height }),
    suggested: game !== undefined,
    available: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
  };
};

const screenSource = (screen: X11Screen): Source => ({
  id: `screen:${screen.index}`,
  kind: 'screen',
  name: screen.primary ? 'Whole screen' : `Screen ${screen.index + 1} (${screen.name})`,
  width: screen.width,
  height: screen.height,
  suggested: false,
  available: true,
});

/** X11 windows and screens, grabbed by ffmpeg's x11grab; the window is kept whole by XComposite and watched on our own connection. */
export function x11Backend(displayName: string, log: Log): GrabbingBackend {
  const changed = new Set<() => void>();
  let screensSeen: readonly X11Screen[] = [];
  let opening: Promise<X11Display> | undefined;
  let closed = false;

  const display = async (): Promise<X11Display> => {
    if (closed) throw new X11Error('closed', 'the backend was closed');
    opening ??= openDisplay(displayName).then((opened) => {
      opened.onLost((error) => {
        opening = undefined;
        if (closed) return;
        log.warn({ err: error }, 'the X server was lost');
        for (const listener of changed) listener();
      });
      opened.onWindowsChanged(() => {
        for (const listener of changed) listener();
      });
      return opened;
    });
    try {
      return await opening;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };

  const openWindow = async (
    source: Source,
    xid: number,
    onEvent: (event: SourceEvent) => void,
  ): Promise<OpenSource> => {
    const x = await display();
    let gone = false;
    let size: string | undefined;
    const watch = await x.watchWindow(xid, (event) => {
      if (event.type === 'gone') gone = true;
      if (event.type === 'geometry') {
        // a window that is dragged says so many times a second; only its size matters to us
        const now = `${event.width}x${event.height}`;
        if (now === size) return;
        size = now;
      }
      onEvent({ type: EVENTS[event.type] });
    });
    size ??= `${watch.geometry.width}x${watch.geometry.height}`;
    let displayLost = false;
    const stopListening = x.onLost(() => {
      gone = displayLost = true;
      onEvent({ type: 'gone' });
    });
    if (!watch.redirected)
      log.warn({ window: source.name }, 'another program composites this window: covered parts may be missing');
    return {
      id: source.id,
      kind: 'window',
      name: source.name,
      state: () => ({
        width: watch.geometry.width,
        height: watch.geometry.height,
        hidden: !watch.mapped,
        gone,
        displayLost,
      }),
      method: 'x11grab',
      stampedByWall: true,
      input: (fps) => x11WindowInput(displayName, xid, fps),
      responds: async (signal) => x.responds(xid, signal),
      async release() {
        stopListening();
        await watch.release().catch((error: unknown) => log.info({ err: error }, 'the window watch was already gone'));
      },
    };
  };

  const openScreen = async (
    source: Source,
    index: number,
    onEvent: (event: SourceEvent) => void,
  ): Promise<OpenSource> => {
    const x = await display();
    const region = parseRegion(source.id);
    const find = async (): Promise<Area | undefined> => {
      const screen = (await x.listScreens()).find((candidate) => candidate.index === index);
      return screen && areaOf(screen, region);
    };
    const found = await find();
    if (!found) throw new X11Error('no-window', `no screen ${index}`);
    let area = found;
    let gone = false;
    const lose = (): void => {
      if (gone) return;
      gone = true;
      onEvent({ type: 'gone' });
    };
    // x11grab reads on where the screen was: another resolution, or a monitor that was unplugged, is ours to notice
    const look = async (): Promise<void> => {
      const now = await find();
      if (!now) {
        lose();
      } else if (!sameArea(now, area)) {
        area = now;
        onEvent({ type: 'resized' });
      }
    };
    const stopListening = x.onLost(lose);
    const stopWatching = x.onWindowsChanged(() => {
      look().catch((error: unknown) => log.info({ err: error }, 'the screens could not be listed'));
    });
    return {
      id: source.id,
      kind: 'screen',
      name: source.name,
      state: () => ({ width: area.width, height: area.height, place: `${area.x},${area.y}`, hidden: false, gone }),
      method: 'x11grab',
      stampedByWall: true,
      input: (fps) => x11ScreenInput(displayName, area, fps),
      release: async () => {
        stopListening();
        stopWatching();
        return Promise.resolve();
      },
    };
  };

  return {
    name: 'x11',
    owns: (id) => xidOf(id) !== undefined || screenIndexOf(id) !== undefined || parseRegion(id) !== undefined,
    async list() {
      try {
        const x = await display();
        const [windows, screens] = await Promise.all([x.listWindows(), x.listScreens()]);
        screensSeen = screens;
        return [...windows.map(windowSource), ...screens.map(screenSource)];
      } catch (error) {
        log.info({ err: error }, 'no X display to list windows from');
        return [];
      }
    },
    async open(source, ffmpeg: Ffmpeg, onEvent, signal) {
      if (!ffmpeg.devices.has('x11grab')) {
        throw new StudioError(
          'ffmpeg-unsuitable',
          'This ffmpeg cannot capture X11 windows (it has no x11grab).',
          "Install your system's own ffmpeg package, or set FFMPEG_PATH to one with x11grab.",
        );
      }
      const xid = xidOf(source.id);
      const index = parseRegion(source.id)?.screen ?? screenIndexOf(source.id);
      try {
        signal.throwIfAborted();
        if (xid !== undefined) return await openWindow(source, xid, onEvent);
        return await openScreen(source, index ?? 0, onEvent);
      } catch (cause) {
        if (cause instanceof X11Error && cause.code === 'no-window') {
          throw new StudioError(
            'source-gone',
            `"${source.name}" is no longer there.`,
            'Open it again, then choose it from the list.',
            { cause },
          );
        }
        throw new StudioError(
          'source-unavailable',
          `"${source.name}" cannot be captured.`,
          'Check that the X server runs and that this user may connect to it.',
          { cause },
        );
      }
    },
    onChanged(listener) {
      changed.add(listener);
      display().catch(() => undefined); // subscribes as soon as there is a display; without one there is nothing to watch
    },
    thumbnailInput(source) {
      const xid = xidOf(source.id);
      if (xid !== undefined) return x11WindowInput(displayName, xid, 30);
      const screen = screensSeen.find(({ index }) => index === screenIndexOf(source.id));
      return screen && x11ScreenInput(displayName, screen, 30);
    },
    async close() {
      closed = true;
      const open = await opening?.catch(() => undefined);
      await open?.close();
    },
  };
}

const EVENTS = { geometry: 'resized', unmapped: 'hidden', mapped: 'shown', gone: 'gone' } as const;

type Area = { x: number; y: number; width: number; height: number };

/** Where a screen or a region of it lies on the root window; undefined when the region is no longer whole on it. */
function areaOf(screen: X11Screen, region: Area | undefined): Area | undefined {
  if (!region) return screen;
  if (region.x + region.width > screen.width || region.y + region.height > screen.height) return undefined;
  return { x: screen.x + region.x, y: screen.y + region.y, width: region.width, height: region.height };
}

const sameArea = (a: Area, b: Area): boolean =>
  a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
