import type { XRandr } from 'x11';
import type { X11Connection } from './connection.ts';
import { X11Error } from './errors.ts';

/** A monitor: its part of the root window, pixels. */
export interface X11Screen {
  readonly index: number;
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly primary: boolean;
}

/**
 * The monitors, primary first, mirrored ones once; the whole root window where the server does not know any. RandR 1.3 CRTCs: the
 * package has no GetMonitors of RandR 1.5. Errors: `X11Error` `lost`, `timeout`, `closed`.
 */
export async function listScreens(connection: X11Connection): Promise<X11Screen[]> {
  const randr = await connection.extension<XRandr>((reply) => connection.client.require('randr', reply));
  const found = randr ? await crtcs(connection, randr) : [];
  const { width, height } = connection.screen;
  const screens = found.length > 0 ? found : [{ name: 'Screen', x: 0, y: 0, width, height, primary: true }];
  // One monitor is always the primary one, even where nobody chose.
  const chosen = screens.find((screen) => screen.primary) ?? screens[0];
  return [...screens.filter((screen) => screen === chosen), ...screens.filter((screen) => screen !== chosen)].map(
    (screen, index) => ({ ...screen, index, primary: screen === chosen }),
  );
}

async function crtcs(connection: X11Connection, randr: XRandr): Promise<Omit<X11Screen, 'index'>[]> {
  const { major_version: major = 1, minor_version: minor = 0 } = randr;
  if (major < 1 || (major === 1 && minor < 3)) return [];
  try {
    const [resources, primary] = await Promise.all([
      connection.request<{ config_timestamp: number; crtcs: number[] }>((reply) =>
        randr.GetScreenResourcesCurrent(connection.root, reply),
      ),
      connection.request<number>((reply) => randr.GetOutputPrimary(connection.root, reply)),
    ]);
    const stamp = resources.config_timestamp;
    const monitors = await Promise.all(
      resources.crtcs.map(async (crtc) => {
        const info = await connection.request<Parameters<Parameters<XRandr['GetCrtcInfo']>[2]>[1]>((reply) =>
          randr.GetCrtcInfo(crtc, stamp, reply),
        );
        const output = info.output.includes(primary) ? primary : info.output[0];
        if (info.status !== 0 || info.mode === 0 || output === undefined) return undefined;
        const { name } = await connection.request<{ name: string }>((reply) =>
          randr.GetOutputInfo(output, stamp, reply),
        );
        const { x, y, width, height } = info;
        return { name, x, y, width, height, primary: output === primary };
      }),
    );
    return monitors
      .filter((monitor) => monitor !== undefined)
      .filter((one, at, all) => all.findIndex((other) => samePlace(one, other)) === at);
  } catch (error) {
    // Monitors changed between two requests: the root window is the honest answer for now.
    if (error instanceof X11Error && (error.code === 'refused' || error.code === 'no-window')) return [];
    throw error;
  }
}

function samePlace(a: Omit<X11Screen, 'index'>, b: Omit<X11Screen, 'index'>): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}
