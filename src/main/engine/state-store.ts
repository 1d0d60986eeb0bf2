import type { Notice, StateEvent, StudioState } from '../../contract/index.ts';

/** The one copy of the studio's state. Clients get a snapshot, then deltas of whole sections that really changed. */
export class StateStore {
  #state: StudioState;
  #revision = 0;
  readonly #watchers = new Set<(event: StateEvent) => void>();
  readonly #noticeWatchers = new Set<(notice: Notice) => void>();

  constructor(initial: StudioState) {
    this.#state = initial;
  }

  get state(): StudioState {
    return this.#state;
  }

  update(patch: Partial<StudioState>): void {
    const changed: Partial<StudioState> = {};
    const consider = <K extends keyof StudioState>(key: K, value: StudioState[K] | undefined): void => {
      if (value === undefined || sameJson(this.#state[key], value)) return;
      changed[key] = value;
    };
    consider('app', patch.app);
    consider('session', patch.session);
    consider('sources', patch.sources);
    consider('health', patch.health);
    consider('replay', patch.replay);
    consider('saves', patch.saves);
    consider('rtmp', patch.rtmp);
    consider('clips', patch.clips);
    consider('settings', patch.settings);
    consider('hotkeys', patch.hotkeys);
    consider('marks', patch.marks);
    consider('recovery', patch.recovery);
    consider('push', patch.push);
    consider('encoders', patch.encoders);
    consider('audio', patch.audio);
    consider('setupTest', patch.setupTest);
    if (Object.keys(changed).length === 0) return;
    this.#state = { ...this.#state, ...changed };
    this.#revision++;
    const event: StateEvent = { type: 'delta', revision: this.#revision, changed };
    for (const watcher of this.#watchers) watcher(event);
  }

  watch(watcher: (event: StateEvent) => void): () => void {
    watcher({ type: 'snapshot', revision: this.#revision, state: this.#state });
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  watchNotices(watcher: (notice: Notice) => void): () => void {
    this.#noticeWatchers.add(watcher);
    return () => this.#noticeWatchers.delete(watcher);
  }

  notify(notice: Notice): void {
    for (const watcher of this.#noticeWatchers) watcher(notice);
  }
}

/** Sections are plain JSON of a few kilobytes. */
const sameJson = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);
