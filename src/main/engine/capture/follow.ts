import type { SessionState, Source } from '../../../contract/index.ts';
import type { Log } from '../logging/log.ts';

export type FollowDeps = {
  /** the user's setting */
  enabled: () => boolean;
  /** what was there when it was last looked */
  sources: () => readonly Source[];
  session: () => SessionState;
  /** looks again what is there, where nothing tells of it */
  refresh: () => Promise<unknown>;
  start: (sourceId: string) => Promise<void>;
  /** what happened by itself, in a sentence for the user */
  tell: (message: string) => void;
  log: Log;
  /** how often to look where the system does not say that a window came, ms; null where it does */
  pollMs: number | null;
};

/** A game shows a splash before its own window: what is still there after this is meant. */
const SETTLE_MS = 250;

const isGame = ({ kind, suggested }: Source): boolean => kind === 'window' && suggested;
const isBusy = ({ state }: SessionState): boolean => state !== 'idle' && state !== 'failed';

/**
 * Goes live when a known game appears and stops when it closes, if the user wants it so. What the user does by hand wins: Stop, or another source,
 * pauses it until no game is open any more. A game whose capture failed is not tried again before it was closed.
 */
export class FollowGame {
  readonly #deps: FollowDeps;
  readonly #tried = new Set<string>();
  #begun = false;
  #paused = false;
  /** the game that is captured */
  #captured: Source | undefined;
  /** the game whose window was closed last */
  #closed: string | undefined;
  #starting: string | undefined;
  #pending: { id: string; timer: NodeJS.Timeout } | undefined;
  #poll: NodeJS.Timeout | undefined;

  constructor(deps: FollowDeps) {
    this.#deps = deps;
  }

  /** From here on it acts: what it needs is up. */
  begin(): void {
    this.#begun = true;
    this.changed();
  }

  close(): void {
    this.#begun = false;
    this.#forget();
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  /** To be called when the sources, the session or the setting changed. */
  changed(): void {
    const { enabled, sources, session } = this.#deps;
    // while something is captured there is nothing to wait for, and looking costs the game
    this.#pollWhile(this.#begun && enabled() && !isBusy(session()));
    if (!this.#begun || !enabled()) {
      // who switches it on again means the game that is open now
      this.#paused = false;
      this.#tried.clear();
      this.#forget();
      return;
    }
    const games = sources().filter(isGame);
    const now = session();
    this.#noteEnd(now);
    if (games.length === 0) {
      this.#paused = false;
      this.#tried.clear();
    }
    const game = games.find(({ id, available }) => available && !this.#tried.has(id));
    if (this.#paused || this.#starting !== undefined || isBusy(now) || !game) {
      this.#forget();
      return;
    }
    if (this.#pending?.id === game.id) return;
    this.#forget();
    this.#pending = { id: game.id, timer: setTimeout(() => void this.#confirm(game.id), SETTLE_MS) };
  }

  /** A capture of `source` begins, by us or by the user. */
  chosen(source: Source): void {
    this.#captured = isGame(source) ? source : undefined;
    if (source.id !== this.#starting) this.#paused = !isGame(source);
  }

  /** The user pressed Stop. */
  userStopped(): void {
    this.#captured = undefined;
    this.#paused = true;
    this.#forget();
  }

  /** What is captured is gone. True when it is the game that was closed, which is no failure. */
  noteGone(sourceId: string): boolean {
    const closed = this.#begun && this.#deps.enabled() && this.#captured?.id === sourceId;
    if (closed) this.#closed = sourceId;
    return closed;
  }

  #noteEnd(session: SessionState): void {
    const game = this.#captured;
    if (!game || this.#starting !== undefined) return;
    if (session.state === 'failed') {
      this.#tried.add(game.id);
      this.#captured = undefined;
    } else if (session.state === 'idle') {
      this.#captured = undefined;
      if (this.#closed === game.id)
        this.#deps.tell(`${game.app ?? game.name} was closed, so streaming stopped. The replay is kept.`);
    }
  }

  async #confirm(id: string): Promise<void> {
    const { start, sources, session, tell, log } = this.#deps;
    try {
      const game = sources().find((source) => source.id === id);
      const meant = this.#pending?.id === id;
      if (!meant || !game || !isGame(game) || !game.available || isBusy(session())) return;
      this.#starting = id;
      await start(id);
      tell(`${game.app ?? game.name} appeared, so streaming started.`);
    } catch (error) {
      this.#tried.add(id);
      log.warn({ err: error }, 'the game could not be captured by itself');
    } finally {
      this.#starting = undefined;
      if (this.#pending?.id === id) this.#pending = undefined;
      this.changed();
    }
  }

  #forget(): void {
    clearTimeout(this.#pending?.timer);
    this.#pending = undefined;
  }

  #pollWhile(wanted: boolean): void {
    const { pollMs, refresh, log } = this.#deps;
    if (!wanted || pollMs === null) {
      clearInterval(this.#poll);
      this.#poll = undefined;
      return;
    }
    this.#poll ??= setInterval(() => {
      refresh().catch((error: unknown) => log.info({ err: error }, 'looking for the game failed'));
    }, pollMs);
  }
}
