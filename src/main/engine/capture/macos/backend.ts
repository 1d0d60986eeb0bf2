import { StudioError, type Source } from '../../../../contract/index.ts';
import { Abilities, type AskProgram } from '../../ffmpeg/abilities.ts';
import { parseAvfoundationModes, parseAvfoundationVideo, type ListedDevice } from '../../ffmpeg/listings.ts';
import type { Ffmpeg } from '../../ffmpeg/locate.ts';
import type { Log } from '../../logging/log.ts';
import { runToEnd } from '../../process/child.ts';
import type { GrabbingBackend, OpenSource, SourceEvent } from '../backend.ts';
import { avfoundationCameraInput } from '../camera/inputs.ts';
import { chooseMode } from '../camera/modes.ts';
import { gameOf } from '../games.ts';
import { probeSize } from '../probe-size.ts';
import { parseRegion } from '../region.ts';
import { Fresh } from '../fresh.ts';
import { askMacDesktop, cropOf, type MacDesktop, type MacWindow } from './desktop.ts';
import { avfoundationScreenInput, cropFilter } from './inputs.ts';

const DEVICES_FRESH_MS = 5000;
const DESKTOP_FRESH_MS = 1500;
const WATCH_MS = 1000;
const MIN_SIDE = 16;
const PERMISSION =
  'If the picture is black, allow Pitwall, or the terminal it was started from, under System Settings, Privacy & Security, Screen & System Audio Recording.';
const WINDOW_HINT = `Captured as its part of the screen: what lies on top of it is seen too. ${PERMISSION}`;

const screenName = /^Capture screen (\d+)$/;
const idNumber = (pattern: RegExp, id: string): number | undefined => {
  const digits = pattern.exec(id)?.[1];
  return digits === undefined ? undefined : Number(digits);
};
const screenOf = (id: string): number | undefined => parseRegion(id)?.screen ?? idNumber(/^screen:(\d{1,3})$/, id);
const windowOf = (id: string): number | undefined => {
  const match = /^window:0x([0-9a-f]{1,12})$/.exec(id);
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16);
};
const cameraOf = (id: string): string | undefined => /^camera:(.+)$/s.exec(id)?.[1];

/**
 * Screens, windows and cameras of a Mac by avfoundation. It has no windows of its own: one is captured as its part of its screen, and followed
 * when it moves. Screens and cameras are numbered in one list that changes when a camera comes, so it is asked anew at each start.
 */
export function macBackend({ log, ask = runToEnd }: { log: Log; ask?: AskProgram }): GrabbingBackend {
  const abilities = new Abilities(ask);
  const desktop = new Fresh(DESKTOP_FRESH_MS, async () => askMacDesktop(ask));
  const devices = new Fresh<ListedDevice[], Ffmpeg>(DEVICES_FRESH_MS, async (ffmpeg) =>
    parseAvfoundationVideo(await abilities.listing(ffmpeg, ['-f', 'avfoundation', '-list_devices', 'true', '-i', ''])),
  );

  const screenIndex = async (ffmpeg: Ffmpeg, screen: number, name: string): Promise<number> => {
    const listed = (await devices.get(ffmpeg)).find((device) => idNumber(screenName, device.name) === screen);
    if (!listed) throw gone(name);
    return listed.index;
  };

  const openCamera = async (source: Source, ffmpeg: Ffmpeg, signal: AbortSignal): Promise<OpenSource> => {
    const camera = (await devices.get(ffmpeg)).find((device) => device.name === cameraOf(source.id));
    if (!camera) throw gone(source.name);
    // asked for a size that no camera has, ffmpeg tells those it has
    const refusal = ['-f', 'avfoundation', '-video_size', '1x1', '-i', `${camera.index}:none`];
    const mode = chooseMode(parseAvfoundationModes(await abilities.listing(ffmpeg, refusal, signal)), 30);
    const size =
      mode ?? (await probeSize(ask, ffmpeg, source.name, avfoundationCameraInput(camera.index, undefined, 30), signal));
    return still(source, 'avfoundation', size, (fps) => avfoundationCameraInput(camera.index, mode, fps));
  };

  const openScreen = async (
    source: Source,
    screen: number,
    ffmpeg: Ffmpeg,
    signal: AbortSignal,
  ): Promise<OpenSource> => {
    const index = await screenIndex(ffmpeg, screen, source.name);
    const region = parseRegion(source.id);
    const size =
      region ?? (await probeSize(ask, ffmpeg, source.name, avfoundationScreenInput(index, 30, true), signal));
    const open = still(source, 'avfoundation', size, (fps) => avfoundationScreenInput(index, fps, true));
    return region ? { ...open, filters: () => [cropFilter(region)] } : open;
  };

  const openWindow = async (
    source: Source,
    id: number,
    ffmpeg: Ffmpeg,
    onEvent: (event: SourceEvent) => void,
  ): Promise<OpenSource> => {
    const find = ({ windows, screens }: MacDesktop) => {
      const window = windows.find((candidate) => candidate.id === id);
      return window && cropOf(window, screens);
    };
    const first = find(await askMacDesktop(ask));
    if (!first) throw gone(source.name);
    let crop = first;
    let index = await screenIndex(ffmpeg, crop.screen, source.name);
    let lost = false;
    let looking = false;
    const look = async (): Promise<void> => {
      const now = await askMacDesktop(ask);
      // an answer without any window is none: the script failed
      if (now.windows.length === 0) return;
      const next = find(now);
      if (!next) {
        lost = true;
        onEvent({ type: 'gone' });
      } else if (JSON.stringify(next) !== JSON.stringify(crop)) {
        if (next.screen !== crop.screen) index = await screenIndex(ffmpeg, next.screen, source.name);
        crop = next;
        onEvent({ type: 'resized' });
      }
    };
    const watching = setInterval(() => {
      if (looking || lost) return;
      looking = true;
      look()
        .catch((error: unknown) => log.info({ err: error }, 'the window could not be looked for'))
        .finally(() => (looking = false));
    }, WATCH_MS);
    return {
      id: source.id,
      kind: 'window',
      name: source.name,
      method: 'avfoundation-crop',
      state: () => ({
        width: crop.width,
        height: crop.height,
        place: `${crop.screen}:${crop.x},${crop.y}`,
        hidden: false,
        gone: lost,
      }),
      input: (fps) => avfoundationScreenInput(index, fps, false),
      filters: () => [cropFilter(crop)],
      release: async () => {
        clearInterval(watching);
        return Promise.resolve();
      },
    };
  };

  return {
    name: 'avfoundation',
    silent: true,
    owns: (id) => screenOf(id) !== undefined || windowOf(id) !== undefined || cameraOf(id) !== undefined,
    async list(_, ffmpeg) {
      const none: ListedDevice[] = [];
      const [seen, listed] = await Promise.all([
        desktop.get(undefined).catch(() => ({ screens: [], windows: [] })),
        ffmpeg()
          .then(async (found) => devices.get(found))
          .catch(() => none),
      ]);
      return [...seen.windows.map(windowSource), ...listed.map((device) => deviceSource(device, seen))];
    },
    async open(source, ffmpeg, onEvent, signal) {
      if (!ffmpeg.devices.has('avfoundation')) {
        throw new StudioError(
          'ffmpeg-unsuitable',
          'This ffmpeg cannot record the screen (it has no avfoundation).',
          'Install ffmpeg with Homebrew (brew install ffmpeg), or set FFMPEG_PATH to one with avfoundation.',
        );
      }
      const window = windowOf(source.id);
      const screen = screenOf(source.id);
      if (window !== undefined) return openWindow(source, window, ffmpeg, onEvent);
      if (screen !== undefined) return openScreen(source, screen, ffmpeg, signal);
      return openCamera(source, ffmpeg, signal);
    },
    onChanged: () => undefined,
    thumbnailInput: () => undefined,
    close: async () => Promise.resolve(),
  };
}

const gone = (name: string): StudioError =>
  new StudioError('source-gone', `"${name}" is no longer there.`, 'Refresh the list and choose it again.');

function still(
  { id, kind, name }: Source,
  method: string,
  { width, height }: { width: number; height: number },
  input: OpenSource['input'],
): OpenSource {
  const state = { width, height, hidden: false, gone: false };
  return { id, kind, name, method, state: () => state, input, release: async () => Promise.resolve() };
}

function windowSource({ id, owner, title, width, height }: MacWindow): Source {
  const game = gameOf({ title: title === '' ? owner : title, classes: [owner] });
  const tooSmall = width < MIN_SIDE || height < MIN_SIDE;
  return {
    id: `window:0x${id.toString(16)}`,
    kind: 'window',
    name: title === '' ? owner : title,
    app: game ?? owner,
    suggested: game !== undefined,
    available: !tooSmall,
    ...(tooSmall ? { reason: 'The window is too small.' } : {}),
    hint: WINDOW_HINT,
  };
}

function deviceSource({ name }: ListedDevice, { screens }: MacDesktop): Source {
  const screen = idNumber(screenName, name);
  if (screen === undefined) return { id: `camera:${name}`, kind: 'camera', name, suggested: false, available: true };
  const place = screens[screen];
  return {
    id: `screen:${screen}`,
    kind: 'screen',
    name: screen === 0 ? 'Whole screen' : `Screen ${screen + 1}`,
    ...(place ? { width: Math.round(place.width * place.scale), height: Math.round(place.height * place.scale) } : {}),
    suggested: false,
    available: true,
    hint: PERMISSION,
  };
}
