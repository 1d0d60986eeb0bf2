import type { KeyCombination } from './accelerator.ts';
import { WindowChanges } from './changes.ts';
import { connect } from './connection.ts';
import type { Unsubscribe, X11Connection } from './connection.ts';
import type { X11Error } from './errors.ts';
import { KeyGrabs } from './keys.ts';
import type { KeyGrab } from './keys.ts';
import { WindowPings } from './ping.ts';
import type { Responds } from './ping.ts';
import { listScreens } from './screens.ts';
import type { X11Screen } from './screens.ts';
import { watchWindow } from './watch.ts';
import type { WindowEvent, WindowWatch } from './watch.ts';
import { listWindows } from './windows.ts';
import type { X11Window } from './windows.ts';

/** An open X display. Every method rejects with an `X11Error` once the connection is lost or closed. */
export interface X11Display {
  readonly name: string;
  /** See `listWindows`. */
  listWindows(): Promise<X11Window[]>;
  /** See `listScreens`. */
  listScreens(): Promise<X11Screen[]>;
  /** See `WindowChanges`: within 250 ms of a change, 4 times a second at most. */
  onWindowsChanged(listener: () => void): Unsubscribe;
  /** See `watchWindow`. */
  watchWindow(id: number, listener: (event: WindowEvent) => void): Promise<WindowWatch>;
  /** See `WindowPings`. */
  responds(id: number, signal: AbortSignal): Promise<Responds>;
  /** See `KeyGrabs.grab`. */
  grabKey(combination: KeyCombination, onPress: () => void): Promise<KeyGrab>;
  /** Called once if the connection ends other than by `close`; soon if it already has. */
  onLost(listener: (error: X11Error) => void): Unsubscribe;
  /** Ends the connection; the server frees all grabs and redirections. */
  close(): Promise<void>;
}

/**
 * Connects to a display (`:0`, `host:1.0`). Errors: `X11Error` `unreachable`, `timeout` after 5 s, `closed` when the signal aborts.
 */
export async function openDisplay(name: string, signal?: AbortSignal): Promise<X11Display> {
  const connection: X11Connection = await connect(name, signal);
  const changes = new WindowChanges(connection);
  const keys = new KeyGrabs(connection);
  const pings = new WindowPings(connection);
  connection.onLost(() => {
    changes.stop();
    keys.stop();
  });
  return {
    name,
    listWindows: () => listWindows(connection),
    listScreens: () => listScreens(connection),
    onWindowsChanged: (listener) => changes.subscribe(listener),
    watchWindow: (id, listener) => watchWindow(connection, id, listener),
    responds: (id, signal) => pings.responds(id, signal),
    grabKey: (combination, onPress) => keys.grab(combination, onPress),
    onLost: (listener) => connection.onLost(listener),
    close: () => {
      changes.stop();
      keys.stop();
      return connection.close();
    },
  };
}
