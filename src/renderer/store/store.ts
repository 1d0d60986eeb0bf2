import { create } from 'zustand';
import type { StateEvent, StudioState } from '../../contract/state.ts';
import type { ContractClient } from '../../contract/wire/client.ts';
import { type HealthSample, withSample } from './history.ts';
import type { SettingsGroup } from '../words/problem-words.ts';
import { applyStateEvent, type Mirror } from './mirror.ts';

/** Times are this page's clock, milliseconds. */
export type Connection =
  | { readonly status: 'connecting' }
  | { readonly status: 'connected' }
  | {
      readonly status: 'lost';
      readonly since: number;
      readonly attempt: number;
      readonly nextAttemptAt: number | null;
    };

export type OpenDialog =
  | { readonly kind: 'sources' }
  /** `group`: the title of the group to begin with */
  | { readonly kind: 'settings'; readonly group?: SettingsGroup }
  | { readonly kind: 'setup' }
  | { readonly kind: 'help' }
  | { readonly kind: 'clip'; readonly id: string }
  | { readonly kind: 'stream'; readonly tab: 'use' | 'peers' | 'push' };

export type StudioStore = {
  readonly connection: Connection;
  readonly client: ContractClient | null;
  /** null until the first snapshot; kept while the connection is lost, so that the screen does not go blank */
  readonly mirror: Mirror | null;
  readonly history: readonly HealthSample[];
  /** the source picked on this page and not yet started */
  readonly chosenSourceId: string | null;
  readonly dialog: OpenDialog | null;
};

const initial: StudioStore = {
  connection: { status: 'connecting' },
  client: null,
  mirror: null,
  history: [],
  chosenSourceId: null,
  dialog: null,
};

export const useStudioStore = create<StudioStore>(() => initial);

/** Back to the beginning; for tests. */
export const resetStudioStore = (): void => useStudioStore.setState(initial, true);

/** Applies an event of `watchState`. Answers false when a delta is missing and the subscription must be opened again. */
export function receiveStateEvent(event: StateEvent, now: number): boolean {
  const { mirror, history } = useStudioStore.getState();
  const next = applyStateEvent(mirror, event);
  if (next === 'hole') return false;
  const health = event.type === 'snapshot' ? event.state.health : event.changed.health;
  useStudioStore.setState({ mirror: next, ...(health ? { history: withSample(history, health, now) } : {}) });
  return true;
}

export const chooseSource = (id: string): void => useStudioStore.setState({ chosenSourceId: id });
export const openDialog = (dialog: OpenDialog): void => useStudioStore.setState({ dialog });
export const closeDialog = (): void => useStudioStore.setState({ dialog: null });

export const useConnected = (): boolean => useStudioStore((store) => store.connection.status === 'connected');

/** A part of the engine's state; only for components below `App`, which waits for the first snapshot. */
export function useStudio<T>(select: (state: StudioState) => T): T {
  return useStudioStore((store) => {
    if (!store.mirror) throw new Error('used before the first snapshot');
    return select(store.mirror.state);
  });
}
