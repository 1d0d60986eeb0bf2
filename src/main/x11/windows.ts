import { hostname } from 'node:os';
import type { XGeometry, XWindowAttributes } from 'x11';
import type { X11Connection } from './connection.ts';
import { X11Error } from './errors.ts';
import { programOf } from './program.ts';
import { getNumbers, getProperty, getText } from './properties.ts';

/** A window a person would know by its title. Position in root coordinates, sizes in pixels, without borders. */
export interface X11Window {
  readonly id: number;
  readonly title: string;
  /** second and first part of WM_CLASS */
  readonly className: string | undefined;
  readonly instanceName: string | undefined;
  readonly pid: number | undefined;
  readonly processName: string | undefined;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly viewable: boolean;
  readonly minimised: boolean;
}

const INPUT_OUTPUT = 1;
const VIEWABLE = 2;
const ICONIC_STATE = 3;
/** How deep below a frame, and among how many windows, its client is sought. */
const MAX_DESCENT = 4;
const MAX_VISITED = 64;
const MAX_WINDOWS = 1024;

/** Extended Window Manager Hints 1.5, `_NET_WM_WINDOW_TYPE`: what is no window to a person. */
const SKIPPED_TYPES = [
  '_NET_WM_WINDOW_TYPE_DESKTOP',
  '_NET_WM_WINDOW_TYPE_DOCK',
  '_NET_WM_WINDOW_TYPE_TOOLBAR',
  '_NET_WM_WINDOW_TYPE_MENU',
  '_NET_WM_WINDOW_TYPE_DROPDOWN_MENU',
  '_NET_WM_WINDOW_TYPE_POPUP_MENU',
  '_NET_WM_WINDOW_TYPE_TOOLTIP',
  '_NET_WM_WINDOW_TYPE_NOTIFICATION',
  '_NET_WM_WINDOW_TYPE_COMBO',
  '_NET_WM_WINDOW_TYPE_DND',
];

/**
 * All windows with a title. With a window manager these are its managed windows (`_NET_CLIENT_LIST`), minimised ones included;
 * without one, the viewable top-level windows. One that disappears meanwhile is left out. Errors: `X11Error` `lost`, `timeout`, `closed`.
 */
export async function listWindows(connection: X11Connection): Promise<X11Window[]> {
  const { ids, managed } = await candidates(connection);
  const skipped = new Set(await Promise.all(SKIPPED_TYPES.map((name) => connection.atom(name))));
  const windows = await Promise.all(
    ids.slice(0, MAX_WINDOWS).map((id) => unlessGone(describe(connection, id, managed, skipped))),
  );
  return windows.filter((window) => window !== undefined);
}

/** Ids of the windows that may be worth showing, and whether a window manager named them. */
export async function candidates(connection: X11Connection): Promise<{ ids: number[]; managed: boolean }> {
  const managed = await managedWindows(connection);
  if (managed) return { ids: managed, managed: true };
  const { children } = await connection.request<{ children: number[] }>((reply) =>
    connection.client.QueryTree(connection.root, reply),
  );
  const found = await Promise.all(children.slice(0, MAX_WINDOWS).map((id) => unlessGone(clientWindow(connection, id))));
  return { ids: [...new Set(found.filter((id) => id !== undefined))], managed: false };
}

/** Position in root coordinates and inner size. Errors: `X11Error` `no-window`. */
export async function rootGeometry(
  connection: X11Connection,
  id: number,
): Promise<{ x: number; y: number; width: number; height: number }> {
  const { client, root } = connection;
  const [geometry, origin] = await Promise.all([
    connection.request<XGeometry>((reply) => client.GetGeometry(id, reply)),
    connection.request<{ destX: number; destY: number }>((reply) => client.TranslateCoordinates(id, root, 0, 0, reply)),
  ]);
  return { x: origin.destX, y: origin.destY, width: geometry.width, height: geometry.height };
}

export function attributes(connection: X11Connection, id: number): Promise<XWindowAttributes> {
  return connection.request<XWindowAttributes>((reply) => connection.client.GetWindowAttributes(id, reply));
}

export const isViewable = (found: XWindowAttributes): boolean => found.mapState === VIEWABLE;

/** The client list of a window manager that is alive: a property left by a dead one names windows that mean nothing. */
async function managedWindows(connection: X11Connection): Promise<number[] | undefined> {
  const [check] = await getNumbers(connection, connection.root, '_NET_SUPPORTING_WM_CHECK');
  if (check === undefined) return undefined;
  const [self] = (await unlessGone(getNumbers(connection, check, '_NET_SUPPORTING_WM_CHECK'))) ?? [];
  if (self !== check) return undefined;
  if (!(await getProperty(connection, connection.root, '_NET_CLIENT_LIST'))) return undefined;
  return await getNumbers(connection, connection.root, '_NET_CLIENT_LIST');
}

/** The window to show for a top-level: the client below a frame (it has WM_STATE), else itself, else a titled descendant. */
async function clientWindow(connection: X11Connection, top: number): Promise<number | undefined> {
  const [found, geometry] = await Promise.all([
    attributes(connection, top),
    connection.request<XGeometry>((reply) => connection.client.GetGeometry(top, reply)),
  ]);
  const candidate =
    isViewable(found) &&
    found.klass === INPUT_OUTPUT &&
    !found.overrideRedirect &&
    geometry.width > 1 &&
    geometry.height > 1;
  if (!candidate) return undefined;
  if (await getProperty(connection, top, 'WM_STATE')) return top;
  let titled = (await titleOf(connection, top)) === undefined ? undefined : top;
  let level = [top];
  let visited = 0;
  for (let depth = 0; depth < MAX_DESCENT && visited < MAX_VISITED; depth++) {
    const trees = await Promise.all(
      level.map((id) =>
        unlessGone(connection.request<{ children: number[] }>((reply) => connection.client.QueryTree(id, reply))),
      ),
    );
    level = trees.flatMap((tree) => tree?.children ?? []).slice(0, MAX_VISITED - visited);
    visited += level.length;
    const below = await Promise.all(
      level.map((id) =>
        unlessGone(Promise.all([getProperty(connection, id, 'WM_STATE'), titleOf(connection, id)])).then((about) => ({
          id,
          client: about?.[0] !== undefined,
          titled: about?.[1] !== undefined,
        })),
      ),
    );
    const client = below.find((one) => one.client);
    if (client) return client.id;
    titled ??= below.find((one) => one.titled)?.id;
  }
  return titled;
}

async function describe(
  connection: X11Connection,
  id: number,
  managed: boolean,
  skippedTypes: ReadonlySet<number>,
): Promise<X11Window | undefined> {
  const [found, geometry, title, classes, pid, machine, types, netState, state, hidden] = await Promise.all([
    attributes(connection, id),
    rootGeometry(connection, id),
    titleOf(connection, id),
    getProperty(connection, id, 'WM_CLASS'),
    getNumbers(connection, id, '_NET_WM_PID'),
    getText(connection, id, 'WM_CLIENT_MACHINE'),
    getNumbers(connection, id, '_NET_WM_WINDOW_TYPE'),
    getNumbers(connection, id, '_NET_WM_STATE'),
    getNumbers(connection, id, 'WM_STATE'),
    connection.atom('_NET_WM_STATE_HIDDEN'),
  ]);
  const viewable = isViewable(found);
  if (title === undefined || found.klass !== INPUT_OUTPUT || found.overrideRedirect) return undefined;
  if (geometry.width <= 1 || geometry.height <= 1 || (!managed && !viewable)) return undefined;
  if (types.some((type) => skippedTypes.has(type))) return undefined;
  const [instanceName, className] = classes ? classes.data.toString('latin1').split('\0') : [];
  // A process number only means something on the machine the program runs on.
  const localPid = machine === undefined || machine === hostname() ? pid[0] : undefined;
  return {
    id,
    title,
    className: className === '' ? undefined : className,
    instanceName: instanceName === '' ? undefined : instanceName,
    pid: localPid,
    processName: localPid === undefined ? undefined : await programOf(localPid),
    ...geometry,
    viewable,
    minimised: netState.includes(hidden) || state[0] === ICONIC_STATE,
  };
}

async function titleOf(connection: X11Connection, id: number): Promise<string | undefined> {
  return (await getText(connection, id, '_NET_WM_NAME')) ?? (await getText(connection, id, 'WM_NAME'));
}

async function unlessGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof X11Error && error.code === 'no-window') return undefined;
    throw error;
  }
}
