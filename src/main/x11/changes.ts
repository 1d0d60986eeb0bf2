import x11 from 'x11';
import type { XEvent } from 'x11';
import { Listeners } from './connection.ts';
import type { Unsubscribe, X11Connection } from './connection.ts';
import { candidates } from './windows.ts';

/** At most one notice in this time. */
const QUIET_MS = 250;

/**
 * Notices that windows came, went, were resized or renamed, or that the screen changed. Watches nothing while nobody listens.
 */
export class WindowChanges {
  readonly #connection: X11Connection;
  readonly #listeners = new Listeners<undefined>();
  readonly #titles = new Map<number, () => Promise<void>>();
  readonly #rootAtoms = new Set<number>();
  readonly #titleAtoms = new Set<number>();
  #stop: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: X11Connection) {
    this.#connection = connection;
  }

  /**
   * Calls back within 250 ms of a change (4 times a second at most) until unsubscribed or the connection ends, and once soon after the
   * first subscription: what happened in between could not be seen.
   */
  subscribe(listener: () => void): Unsubscribe {
    const remove = this.#listeners.add(listener);
    if (!this.#stop) this.#start();
    return () => {
      remove();
      if (this.#listeners.size === 0) this.#stop?.();
    };
  }

  /** For good: the connection is over. */
  stop(): void {
    this.#listeners.clear();
    this.#stop?.();
  }

  #start(): void {
    const connection = this.#connection;
    const { StructureNotify, SubstructureNotify, PropertyChange } = x11.eventMask;
    const removeListener = connection.onEvent((event) => this.#onEvent(event));
    const root = connection.select(connection.root, StructureNotify | SubstructureNotify | PropertyChange);
    // What was lost is reported by the connection itself; nothing more can be said here.
    root.catch(() => undefined);
    let running = true;
    this.#stop = () => {
      running = false;
      this.#stop = undefined;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      removeListener();
      for (const release of this.#titles.values()) void release();
      this.#titles.clear();
      root.then((release) => release()).catch(() => undefined);
    };
    Promise.all([
      this.#learn(['_NET_CLIENT_LIST', '_NET_SUPPORTING_WM_CHECK'], this.#rootAtoms),
      this.#learn(['_NET_WM_NAME', 'WM_NAME', '_NET_WM_STATE', 'WM_STATE', 'WM_CLASS'], this.#titleAtoms),
    ])
      .then(() => {
        // Also the notice for whatever changed before the windows were watched.
        if (running) this.#schedule();
      })
      .catch(() => undefined);
  }

  async #learn(names: readonly string[], into: Set<number>): Promise<void> {
    for (const atom of await Promise.all(names.map((name) => this.#connection.atom(name)))) into.add(atom);
  }

  #onEvent(event: XEvent): void {
    const { root } = this.#connection;
    switch (event.name) {
      case 'CreateNotify':
        // Not worth a notice: it has no title and is not mapped yet.
        return;
      case 'DestroyNotify':
      case 'UnmapNotify':
      case 'MapNotify':
      case 'ReparentNotify':
        if (event.event === root) this.#schedule();
        return;
      case 'ConfigureNotify':
        if (event.wid === root) this.#schedule();
        return;
      case 'PropertyNotify':
        if (
          event.wid === root
            ? this.#rootAtoms.has(event.atom)
            : this.#titles.has(event.wid) && this.#titleAtoms.has(event.atom)
        )
          this.#schedule();
        return;
      default:
    }
  }

  #schedule(): void {
    if (!this.#stop) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#watchTitles()
        .catch(() => undefined)
        .finally(() => {
          if (this.#stop) this.#listeners.emit(undefined);
        });
    }, QUIET_MS);
  }

  /** Title changes are told only to who asked on the window itself, so every window of the list is asked for them. */
  async #watchTitles(): Promise<void> {
    const { ids } = await candidates(this.#connection);
    const present = new Set(ids);
    for (const [id, release] of this.#titles) {
      if (present.has(id)) continue;
      this.#titles.delete(id);
      void release();
    }
    await Promise.all(
      ids
        .filter((id) => !this.#titles.has(id))
        .map(async (id) => {
          try {
            const release = await this.#connection.select(id, x11.eventMask.PropertyChange);
            if (this.#stop && !this.#titles.has(id)) this.#titles.set(id, release);
            else await release();
          } catch {
            // Gone already; the next notice follows from that.
          }
        }),
    );
  }
}
