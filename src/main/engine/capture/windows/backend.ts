import { StudioError, type FrameRate, type Source } from '../../../../contract/index.ts';
import { Abilities, type AskProgram } from '../../ffmpeg/abilities.ts';
import { parseDshow, parseDshowModes, type DshowDevice } from '../../ffmpeg/listings.ts';
import type { Ffmpeg } from '../../ffmpeg/locate.ts';
import type { Log } from '../../logging/log.ts';
import { runToEnd } from '../../process/child.ts';
import type { GrabbingBackend, NextMethod, OpenSource, SourceEvent } from '../backend.ts';
import { dshowInput } from '../camera/inputs.ts';
import { chooseMode } from '../camera/modes.ts';
import { Fresh } from '../fresh.ts';
import { gameOf } from '../games.ts';
import { probeSize } from '../probe-size.ts';
import { parseRegion } from '../region.ts';
import { askWinDesktop, partOf, watchWinWindow, type WatchWindow, type WinDesktop, type WinPlace } from './desktop.ts';
import { ddagrabInput, gdigrabDesktopInput, gdigrabWindowInput, gfxcaptureInput, type Part } from './inputs.ts';

const DESKTOP_FRESH_MS = 2000;
const DEVICES_FRESH_MS = 5000;
const FIRST_PLACE_MS = 6000;

const hwndOf = (id: string): number | undefined => {
  const match = /^window:0x([0-9a-f]{1,12})$/.exec(id);
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16);
};
const screenOf = (id: string): number | undefined => {
  const digits = /^screen:(\d{1,3})$/.exec(id)?.[1];
  return parseRegion(id)?.screen ?? (digits === undefined ? undefined : Number(digits));
};
const cameraOf = (id: string): string | undefined => /^camera:(.+)$/s.exec(id)?.[1];

/** A way to capture something. */
type Method = { method: string; caution?: string; input: (fps: FrameRate) => readonly string[] };

const CAUTION = 'The window is captured as its part of the screen: what lies on top of it is seen too.';
const OLD_FFMPEG = `${CAUTION} With ffmpeg 8 or later only the window itself is.`;

export type WindowsDeps = { log: Log; ask?: AskProgram; watchWindow?: WatchWindow };

/**
 * Windows, screens and cameras of Windows. A window by Graphics Capture where ffmpeg has it (8 and later), then as its part of the screen by desktop
 * duplication, which is always said (what lies above is seen too), then by its title through GDI, which shows nothing of many games.
 */
export function windowsBackend({ log, ask = runToEnd, watchWindow = watchWinWindow }: WindowsDeps): GrabbingBackend {
  const abilities = new Abilities(ask);
  const desktop = new Fresh(DESKTOP_FRESH_MS, async () => askWinDesktop(ask));
  const cameras = new Fresh<DshowDevice[], Ffmpeg>(DEVICES_FRESH_MS, async (ffmpeg) =>
    parseDshow(await abilities.listing(ffmpeg, ['-f', 'dshow', '-list_devices', 'true', '-i', 'dummy'])).filter(
      ({ video }) => video,
    ),
  );
  let seen: WinDesktop = { windows: [], screens: [] };

  const openWindow = async (
    source: Source,
    hwnd: number,
    ffmpeg: Ffmpeg,
    onEvent: (event: SourceEvent) => void,
  ): Promise<OpenSource> => {
    const [filters, { screens }] = await Promise.all([abilities.filters(ffmpeg), desktop.get(undefined)]);
    let place: WinPlace | undefined;
    let lost = false;
    let stopWatching: () => void = () => undefined;
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(noWindow(source)), FIRST_PLACE_MS);
      stopWatching = watchWindow(hwnd, (now) => {
        clearTimeout(late);
        const first = place === undefined;
        const was = place;
        if (now) place = now;
        else lost = true;
        if (first) resolve();
        else if (lost) onEvent({ type: 'gone' });
        else if (was?.minimised !== now?.minimised) onEvent({ type: now?.minimised === true ? 'hidden' : 'shown' });
        else onEvent({ type: 'resized' });
      });
    }).catch((error: unknown) => {
      stopWatching();
      throw error;
    });
    const part = (): { screen: number; part: Part } | undefined => place && partOf(place, screens);
    const methods: Method[] = [
      ...(filters.has('gfxcapture')
        ? [{ method: 'gfxcapture', input: (fps: FrameRate) => gfxcaptureInput(hwnd, fps) }]
        : []),
      ...(filters.has('ddagrab') && part()
        ? [
            {
              method: 'ddagrab-crop',
              caution: CAUTION,
              input: (fps: FrameRate) => {
                const at = part();
                return ddagrabInput(at?.screen ?? 0, at?.part, fps, false);
              },
            },
          ]
        : []),
      { method: 'gdigrab', input: (fps) => gdigrabWindowInput(source.name, fps) },
    ];
    let current = 0;
    const now = (): Method | undefined => methods[current];
    log.info({ methods: methods.map(({ method }) => method) }, 'ways to capture the window');
    return {
      id: source.id,
      kind: 'window',
      name: source.name,
      get method() {
        return now()?.method ?? '';
      },
      get caution() {
        return now()?.caution;
      },
      state: () => {
        const { width, height, x, y } = place ?? { width: 2, height: 2, x: 0, y: 0 };
        const size = { width: Math.max(2, width), height: Math.max(2, height) };
        const moves = now()?.method === 'ddagrab-crop' ? { place: `${x},${y}` } : {};
        return { ...size, ...moves, hidden: place?.minimised === true, gone: lost || place === undefined };
      },
      input: (fps) => now()?.input(fps) ?? [],
      nextMethod(): NextMethod | undefined {
        // never by itself to one that may show what lies over the window: nobody agreed to put that on the air
        const index = methods.findIndex(({ caution }, i) => i > current && caution === undefined);
        const next = methods[index];
        if (!next) return undefined;
        current = index;
        return { method: next.method };
      },
      release: async () => {
        stopWatching();
        return Promise.resolve();
      },
    };
  };

  const openScreen = async (
    source: Source,
    screen: number,
    ffmpeg: Ffmpeg,
    signal: AbortSignal,
  ): Promise<OpenSource> => {
    const region = parseRegion(source.id);
    const [filters, { screens }] = await Promise.all([abilities.filters(ffmpeg), desktop.get(undefined)]);
    const at = screens[screen];
    const fromDesktop: Part | undefined = at && {
      x: at.x + (region?.x ?? 0),
      y: at.y + (region?.y ?? 0),
      width: region?.width ?? at.width,
      height: region?.height ?? at.height,
    };
    const methods: Method[] = [
      ...(filters.has('ddagrab')
        ? [{ method: 'ddagrab', input: (fps: FrameRate) => ddagrabInput(screen, region, fps, true) }]
        : []),
      { method: 'gdigrab', input: (fps) => gdigrabDesktopInput(fromDesktop, fps) },
    ];
    const [first] = methods;
    const size = region ?? at ?? (await probeSize(ask, ffmpeg, source.name, first?.input(30) ?? [], signal));
    let current = 0;
    return {
      ...{ id: source.id, kind: source.kind, name: source.name },
      get method() {
        return methods[current]?.method ?? '';
      },
      state: () => ({ width: size.width, height: size.height, hidden: false, gone: false }),
      input: (fps) => methods[current]?.input(fps) ?? [],
      nextMethod: () => {
        const next = methods[current + 1];
        if (next) current++;
        return next && { method: next.method };
      },
      release: async () => Promise.resolve(),
    };
  };

  const openCamera = async (source: Source, ffmpeg: Ffmpeg, signal: AbortSignal): Promise<OpenSource> => {
    const device = cameraOf(source.id) ?? '';
    const found = (await cameras.get(ffmpeg)).find((camera) => deviceName(camera) === device);
    if (!found) throw noWindow(source);
    const options = ['-f', 'dshow', '-list_options', 'true', '-i', `video=${device}`];
    const mode = chooseMode(parseDshowModes(await abilities.listing(ffmpeg, options, signal)), 30);
    const size = mode ?? (await probeSize(ask, ffmpeg, source.name, dshowInput(device, undefined, 30), signal));
    const state = { width: size.width, height: size.height, hidden: false, gone: false };
    return {
      ...{ id: source.id, kind: source.kind, name: source.name },
      method: 'dshow',
      state: () => state,
      input: (fps) => dshowInput(device, mode, fps),
      release: async () => Promise.resolve(),
    };
  };

  return {
    name: 'windows',
    silent: true,
    owns: (id) => hwndOf(id) !== undefined || screenOf(id) !== undefined || cameraOf(id) !== undefined,
    async list(_, ffmpeg) {
      const [now, devices, filters] = await Promise.all([
        desktop.get(undefined).catch((error: unknown) => {
          log.info({ err: error }, 'windows could not be listed');
          return seen;
        }),
        ffmpeg()
          .then(async (found) => cameras.get(found))
          .catch((): DshowDevice[] => []),
        ffmpeg().then(
          async (found) => abilities.filters(found),
          (): ReadonlySet<string> => new Set(),
        ),
      ]);
      seen = now;
      const hint = filters.has('gfxcapture') || !filters.has('ddagrab') ? {} : { hint: OLD_FFMPEG };
      return [
        ...now.windows.map((window) => ({ ...windowSource(window), ...hint })),
        ...now.screens.map((screen, index): Source => ({
          id: `screen:${index}`,
          kind: 'screen',
          name: screen.primary ? 'Whole screen' : `Screen ${index + 1}`,
          width: screen.width,
          height: screen.height,
          suggested: false,
          available: true,
        })),
        ...devices.map(cameraSource),
      ];
    },
    async open(source, ffmpeg, onEvent, signal) {
      if (!ffmpeg.devices.has('gdigrab')) {
        throw new StudioError(
          'ffmpeg-unsuitable',
          'This ffmpeg cannot capture Windows (it has no gdigrab).',
          'Install a full ffmpeg (winget install Gyan.FFmpeg), or set FFMPEG_PATH to one.',
        );
      }
      const hwnd = hwndOf(source.id);
      const screen = screenOf(source.id);
      if (hwnd !== undefined) return openWindow(source, hwnd, ffmpeg, onEvent);
      if (screen !== undefined) return openScreen(source, screen, ffmpeg, signal);
      return openCamera(source, ffmpeg, signal);
    },
    onChanged: () => undefined,
    thumbnailInput: (source) => {
      const screen = seen.screens[screenOf(source.id) ?? -1];
      if (screen) return gdigrabDesktopInput(screen, 30);
      return source.kind === 'window' ? gdigrabWindowInput(source.name, 30) : undefined;
    },
    close: async () => Promise.resolve(),
  };
}

/** Two cameras of one make have one name; DirectShow's own name tells them apart, and has no comma or colon in the way. */
const deviceName = ({ name, alternative }: DshowDevice): string =>
  alternative !== undefined && alternative.length < 240 ? alternative : name;

const cameraSource = (device: DshowDevice): Source => ({
  id: `camera:${deviceName(device)}`,
  kind: 'camera',
  name: device.name,
  suggested: false,
  available: true,
});

function windowSource({ hwnd, title, process }: WinDesktop['windows'][number]): Source {
  const executable = `${process}.exe`;
  const game = gameOf({ title, executable });
  return {
    id: `window:0x${hwnd.toString(16)}`,
    kind: 'window',
    name: title,
    app: game ?? executable,
    suggested: game !== undefined,
    available: true,
  };
}

const noWindow = ({ name }: Source): StudioError =>
  new StudioError('source-gone', `"${name}" is no longer there.`, 'Open it again, then choose it from the list.');
