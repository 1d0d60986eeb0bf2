import { procedures } from '../../contract/index.ts';
import { handlerMap, onCall, onEvents, onFrames, type Handler } from '../../contract/wire/server.ts';
import type { PreviewHub } from './preview/hub.ts';
import type { StateStore } from './state-store.ts';
import type { Studio } from './studio.ts';

/** The contract's procedures, each bound to one intent or stream of the engine. */
export function contractHandlers(
  studio: Studio & { store: StateStore; preview: PreviewHub },
): ReadonlyMap<string, Handler> {
  const nothing = (): undefined => undefined;
  return handlerMap(Object.values(procedures), [
    onCall(procedures.startCapture, async (request) => studio.startCapture(request)),
    onCall(procedures.stopCapture, async () => studio.stopCapture()),
    onCall(procedures.refreshSources, async () => studio.refreshSources()),
    onCall(procedures.saveReplay, async (request) => studio.saveReplay(request)),
    onCall(procedures.cancelSave, async ({ id }) => studio.cancelSave(id).then(nothing)),
    onCall(procedures.addMark, async ({ label }) => studio.addMark(label)),
    onCall(procedures.deleteMark, async ({ id }) => studio.deleteMark(id).then(nothing)),
    onCall(procedures.saveRecovery, async () => studio.saveRecovery()),
    onCall(procedures.discardRecovery, async () => studio.discardRecovery().then(nothing)),
    onCall(procedures.clearReplay, async () => studio.clearReplay().then(nothing)),
    onCall(procedures.deleteClip, async ({ id }) => studio.clips.delete(id).then(nothing)),
    onCall(procedures.revealClip, async ({ id }) => studio.clips.reveal(id).then(nothing)),
    onCall(procedures.openClipsFolder, async () => studio.clips.openFolder().then(nothing)),
    onCall(procedures.updateSettings, async (patch) => studio.updateSettings(patch)),
    onCall(procedures.setPushTarget, async (request) => studio.setPushTarget(request)),
    onCall(procedures.enablePushTarget, async ({ id, enabled }) => studio.enablePushTarget(id, enabled).then(nothing)),
    onCall(procedures.deletePushTarget, async ({ id }) => studio.deletePushTarget(id).then(nothing)),
    onCall(procedures.testEncoders, async () => studio.testEncoders().then(nothing)),
    onCall(procedures.runSetupTest, async () => studio.runSetupTest()),
    onCall(procedures.cancelSetupTest, async () => studio.cancelSetupTest().then(nothing)),
    onEvents(procedures.watchState, (emit) => studio.store.watch(emit)),
    onEvents(procedures.watchNotices, (emit) => studio.store.watchNotices(emit)),
    onFrames(procedures.watchPreview, (sink) => studio.preview.open(sink)),
  ]);
}
