import { expect, test, vi } from 'vitest';
import { handlerMap, onCall, onEvents, onFrames, serveContract } from '../../contract/wire/server.ts';
import { portWire } from '../../contract/wire/port.ts';
import { procedures } from '../../contract/procedures.ts';
import type { StateEvent } from '../../contract/state.ts';
import type { Wire } from '../../contract/wire/wire.ts';
import { studioState } from '../test/studio.ts';
import { keepConnected, tryNow } from './connection.ts';
import { useStudioStore } from './store.ts';

type Emit = (event: StateEvent) => void;

/** A served contract on the other end of a real message channel; its state subscription is in the test's hands. */
function serve(onSubscribe: (emit: Emit) => void): { open: () => Wire; drop: () => void } {
  const never = (): Promise<never> => new Promise(() => undefined);
  const nothing = (): (() => void) => () => undefined;
  const handlers = handlerMap(Object.values(procedures), [
    onCall(procedures.startCapture, never),
    onCall(procedures.stopCapture, never),
    onCall(procedures.refreshSources, never),
    onCall(procedures.saveReplay, never),
    onCall(procedures.cancelSave, never),
    onCall(procedures.addMark, never),
    onCall(procedures.deleteMark, never),
    onCall(procedures.saveRecovery, never),
    onCall(procedures.discardRecovery, never),
    onCall(procedures.clearReplay, never),
    onCall(procedures.deleteClip, never),
    onCall(procedures.revealClip, never),
    onCall(procedures.openClipsFolder, never),
    onCall(procedures.updateSettings, never),
    onCall(procedures.setPushTarget, never),
    onCall(procedures.enablePushTarget, never),
    onCall(procedures.deletePushTarget, never),
    onCall(procedures.testEncoders, never),
    onCall(procedures.runSetupTest, never),
    onCall(procedures.cancelSetupTest, never),
    onEvents(procedures.watchState, (emit) => {
      onSubscribe(emit);
      return () => undefined;
    }),
    onEvents(procedures.watchNotices, nothing),
    onFrames(procedures.watchPreview, nothing),
  ]);
  let server: Wire | undefined;
  return {
    open: () => {
      const { port1, port2 } = new MessageChannel();
      server = portWire(port1);
      serveContract(server, handlers, {
        onError: (name, thrown) => {
          throw new Error(name, { cause: thrown });
        },
      });
      return portWire(port2);
    },
    drop: () => server?.close(),
  };
}

const status = (): string => useStudioStore.getState().connection.status;

test('a hole makes the page subscribe again and take the fresh snapshot', async () => {
  const emits: Emit[] = [];
  const studio = serve((emit) => {
    emits.push(emit);
    emit({ type: 'snapshot', revision: emits.length * 100, state: studioState() });
  });
  const stop = new AbortController();
  keepConnected(() => Promise.resolve(studio.open()), stop.signal);
  await vi.waitFor(() => expect(status()).toBe('connected'));
  emits[0]?.({ type: 'delta', revision: 103, changed: {} });
  await vi.waitFor(() => expect(useStudioStore.getState().mirror?.revision).toBe(200));
  emits[0]?.({ type: 'delta', revision: 201, changed: { rtmp: { state: 'starting' } } });
  emits[1]?.({ type: 'delta', revision: 201, changed: { session: { state: 'idle' } } });
  await vi.waitFor(() => expect(useStudioStore.getState().mirror?.revision).toBe(201));
  expect(emits).toHaveLength(2);
  stop.abort();
});

test('a closed wire is said at once, keeps the last state on the screen, and is opened again', async () => {
  const studio = serve((emit) => emit({ type: 'snapshot', revision: 1, state: studioState() }));
  const stop = new AbortController();
  let opened = 0;
  keepConnected(() => {
    opened++;
    return opened === 2 ? Promise.reject(new Error('refused')) : Promise.resolve(studio.open());
  }, stop.signal);
  await vi.waitFor(() => expect(status()).toBe('connected'));
  studio.drop();
  await vi.waitFor(() => expect(status()).toBe('lost'));
  expect(useStudioStore.getState().client).toBeNull();
  expect(useStudioStore.getState().mirror).not.toBeNull();
  await vi.waitFor(() => expect(useStudioStore.getState().connection).toMatchObject({ attempt: 2 }), { timeout: 3000 });
  tryNow();
  await vi.waitFor(() => expect(status()).toBe('connected'));
  expect(opened).toBe(3);
  stop.abort();
});
