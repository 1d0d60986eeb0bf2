import type { StateEvent, StudioState } from '../../contract/state.ts';

/** The engine's state as last told, with the revision it belongs to. */
export type Mirror = { readonly revision: number; readonly state: StudioState };

/**
 * Applies one event to the mirror. Returns `'hole'` for a delta that does not follow on the mirror's revision: the
 * subscription has to be opened again, which starts with a snapshot.
 */
export function applyStateEvent(mirror: Mirror | null, event: StateEvent): Mirror | 'hole' {
  if (event.type === 'snapshot') return { revision: event.revision, state: event.state };
  if (!mirror || event.revision !== mirror.revision + 1) return 'hole';
  return { revision: event.revision, state: merged(mirror.state, event.changed) };
}

function merged(state: StudioState, changed: { [K in keyof StudioState]?: StudioState[K] | undefined }): StudioState {
  return {
    app: changed.app ?? state.app,
    session: changed.session ?? state.session,
    sources: changed.sources ?? state.sources,
    health: changed.health ?? state.health,
    replay: changed.replay ?? state.replay,
    saves: changed.saves ?? state.saves,
    rtmp: changed.rtmp ?? state.rtmp,
    push: changed.push ?? state.push,
    encoders: changed.encoders ?? state.encoders,
    audio: changed.audio ?? state.audio,
    setupTest: changed.setupTest ?? state.setupTest,
    clips: changed.clips ?? state.clips,
    settings: changed.settings ?? state.settings,
    hotkeys: changed.hotkeys ?? state.hotkeys,
    marks: changed.marks ?? state.marks,
    // null is a value of it
    recovery: changed.recovery === undefined ? state.recovery : changed.recovery,
  };
}
