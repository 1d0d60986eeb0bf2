import { watch } from 'node:fs';
import { access, constants, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { StudioError, type Source } from '../../../../contract/index.ts';
import { Abilities, type AskProgram } from '../../ffmpeg/abilities.ts';
import { parseV4l2Formats } from '../../ffmpeg/listings.ts';
import type { Log } from '../../logging/log.ts';
import { runToEnd } from '../../process/child.ts';
import type { Size } from '../args.ts';
import type { GrabbingBackend } from '../backend.ts';
import { probeSize } from '../probe-size.ts';
import { v4l2Input } from './inputs.ts';
import { chooseMode } from './modes.ts';

export type V4l2Deps = {
  log: Log;
  /** where the kernel tells of devices, and where they are; other folders in tests */
  sysfs?: string;
  dev?: string;
  ask?: AskProgram;
};

const ID = /^camera:(\/.+\/video\d{1,3})$/;
const WATCH_MS = 500;
const MAX_CAMERAS = 16;

/** Cameras and capture cards of Linux (Video4Linux2). */
export function v4l2Backend(deps: V4l2Deps): GrabbingBackend {
  const { log, sysfs = '/sys/class/video4linux', dev = '/dev', ask = runToEnd } = deps;
  const abilities = new Abilities(ask);
  const closing = new AbortController();

  const describe = async (name: string): Promise<Source | undefined> => {
    const read = async (file: string): Promise<string> =>
      readFile(path.join(sysfs, name, file), 'utf8').then(
        (text) => text.trim(),
        () => '',
      );
    const [title, index] = await Promise.all([read('name'), read('index')]);
    // a camera has further nodes without pictures, for what it measures of them (uvcvideo): its first is the one
    if (title === '' || (index !== '' && index !== '0')) return undefined;
    const device = path.join(dev, name);
    const allowed = await access(device, constants.R_OK | constants.W_OK).then(
      () => true,
      () => false,
    );
    return {
      id: `camera:${device}`,
      kind: 'camera',
      // drivers say a name twice: "USB Video: USB Video"
      name: title.replace(/^(.+): \1$/, '$1'),
      app: name,
      suggested: false,
      available: allowed,
      ...(allowed ? {} : { reason: 'This user may not use cameras: add it to the group "video", then log in again.' }),
    };
  };

  const exists = async (device: string): Promise<boolean> =>
    access(path.join(sysfs, path.basename(device))).then(
      () => true,
      () => false,
    );

  return {
    name: 'v4l2',
    owns: (id) => ID.test(id),
    async list() {
      const names = await readdir(sysfs).catch(() => []);
      const cameras = names.filter((name) => /^video\d{1,3}$/.test(name)).slice(0, MAX_CAMERAS);
      return (await Promise.all(cameras.map(describe))).filter((source) => source !== undefined);
    },
    async open(source, ffmpeg, onEvent, signal) {
      const device = ID.exec(source.id)?.[1];
      if (device === undefined || !(await exists(device))) {
        throw new StudioError(
          'source-gone',
          `"${source.name}" is no longer there.`,
          'Plug it in again, then choose it from the list.',
        );
      }
      if (!ffmpeg.devices.has('v4l2') && !ffmpeg.devices.has('video4linux2')) {
        throw new StudioError(
          'ffmpeg-unsuitable',
          'This ffmpeg cannot read cameras (it has no v4l2).',
          "Install your system's own ffmpeg package, or set FFMPEG_PATH to one with v4l2.",
        );
      }
      const text = await abilities.listing(ffmpeg, ['-f', 'v4l2', '-list_formats', 'all', '-i', device], signal);
      const mode = chooseMode(parseV4l2Formats(text), 30);
      const size: Size = mode ?? (await probeSize(ask, ffmpeg, source.name, v4l2Input(device, undefined, 30), signal));
      let gone = false;
      // the kernel's folder gives no notice that a device went; ffmpeg may hang in it meanwhile
      const watching = setInterval(() => {
        void exists(device).then((there) => {
          if (there || gone) return;
          gone = true;
          onEvent({ type: 'gone' });
        });
      }, WATCH_MS);
      log.info({ device, mode }, 'camera opened');
      return {
        id: source.id,
        kind: 'camera',
        name: source.name,
        method: 'v4l2',
        state: () => ({ width: size.width, height: size.height, hidden: false, gone }),
        input: (fps) => v4l2Input(device, mode, fps),
        release: async () => {
          clearInterval(watching);
          return Promise.resolve();
        },
      };
    },
    onChanged(listener) {
      try {
        const watcher = watch(dev, { signal: closing.signal, persistent: false }, (_, name) => {
          if (name !== null && /^video\d+$/.test(name)) listener();
        });
        watcher.on('error', () => undefined);
      } catch (error) {
        log.info({ err: error }, 'cameras that are plugged in are seen at the next refresh only');
      }
    },
    // a picture would switch the camera and its light on
    thumbnailInput: () => undefined,
    close: async () => {
      closing.abort();
      return Promise.resolve();
    },
  };
}
