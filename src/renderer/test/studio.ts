import type { Source } from '../../contract/sources.ts';
import { DEFAULT_SETTINGS } from '../../contract/settings.ts';
import type { StudioState } from '../../contract/state.ts';
import type { ContractClient } from '../../contract/wire/client.ts';
import { receiveStateEvent, useStudioStore } from '../store/store.ts';

export const source = (id: string, over: Partial<Source> = {}): Source => ({
  id,
  kind: 'window',
  name: id,
  suggested: false,
  available: true,
  ...over,
});

export const studioState = (over: Partial<StudioState> = {}): StudioState => ({
  app: {
    version: '0.0.0',
    shell: 'browser',
    platform: 'linux',
    clipsFolder: '/clips',
    httpUrl: 'http://127.0.0.1:1688',
  },
  session: { state: 'idle' },
  sources: [],
  health: {
    fps: null,
    speed: null,
    bitrateKbps: null,
    q: null,
    duplicated: 0,
    dropped: 0,
    duplicatedRecently: 0,
    droppedRecently: 0,
    targetFps: null,
    problems: [],
  },
  replay: {
    secondsHeld: 0,
    liveSeconds: 0,
    bytesHeld: 0,
    capacityBytes: 512 * 1024 * 1024,
    capacitySeconds: 120,
    estimatedSeconds: null,
    epochs: [],
  },
  saves: [],
  marks: [],
  recovery: null,
  rtmp: { state: 'starting' },
  push: [],
  encoders: [],
  audio: { unavailable: null, devices: [], tracks: [] },
  setupTest: { state: 'idle' },
  clips: [],
  settings: DEFAULT_SETTINGS,
  hotkeys: [
    { id: 'save', state: 'active', accelerator: 'F9' },
    { id: 'mark', state: 'active', accelerator: 'F7' },
  ],
  ...over,
});

export type Asked = { name: string; input: unknown };

/** Puts the store into a connected state; what the page asks of the engine is recorded and never answered. */
export function connectStudio(state: StudioState): Asked[] {
  const asked: Asked[] = [];
  const client: ContractClient = {
    call(procedure, input) {
      asked.push({ name: procedure.name, input });
      return new Promise(() => undefined);
    },
    events: () => () => undefined,
    frames: () => () => undefined,
    onClose: () => undefined,
    close: () => undefined,
  };
  receiveStateEvent({ type: 'snapshot', revision: 1, state }, Date.now());
  useStudioStore.setState({ client, connection: { status: 'connected' } });
  return asked;
}
