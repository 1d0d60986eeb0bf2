import type { z } from 'zod';
import { StudioError, toErrorInfo } from '../../contract/errors.ts';
import { type CallProcedure, procedures } from '../../contract/procedures.ts';
import type { PushTargetRequest } from '../../contract/push.ts';
import type { SaveRequest } from '../../contract/replay.ts';
import type { SettingsPatch } from '../../contract/settings.ts';
import { showFailure } from './failures.ts';
import { closeDialog, useStudioStore } from './store.ts';

/** Asks the engine; throws `StudioError`. */
async function ask<I extends z.ZodType, O extends z.ZodType>(
  procedure: CallProcedure<I, O>,
  input: z.input<I>,
): Promise<z.output<O>> {
  const { client } = useStudioStore.getState();
  if (!client) {
    throw new StudioError(
      'disconnected',
      'There is no connection to the studio.',
      'It is being opened again; try once it is back.',
    );
  }
  return client.call(procedure, input);
}

/** Runs an intent; a failure becomes a toast, unless it was taken back by a later intent. Answers whether it worked. */
async function attempt(intent: () => Promise<unknown>): Promise<boolean> {
  try {
    await intent();
    return true;
  } catch (thrown) {
    const error = toErrorInfo(thrown);
    // what the person took back themselves is no news to them
    if (error.code !== 'cancelled') showFailure(error);
    return false;
  }
}

/** What somebody cancelled is no failure to tell them of. */
function unlessCancelled(thrown: unknown): void {
  if (!(thrown instanceof StudioError && thrown.code === 'cancelled')) throw thrown;
}

/** Starts the capture, or switches a running one to another source. */
export const startCapture = (source: string): Promise<boolean> =>
  attempt(() => ask(procedures.startCapture, { source }));
export const stopCapture = (): Promise<boolean> => attempt(() => ask(procedures.stopCapture, undefined));
/** The answer is shown by the `clip-saved` notice, which the hotkey's saves cause as well. */
export const saveReplay = (request: SaveRequest): Promise<boolean> =>
  attempt(() => ask(procedures.saveReplay, request).catch(unlessCancelled));
export const cancelSave = (id: string): Promise<boolean> => attempt(() => ask(procedures.cancelSave, { id }));
export const addMark = (): Promise<boolean> => attempt(() => ask(procedures.addMark, {}));
export const deleteMark = (id: string): Promise<boolean> => attempt(() => ask(procedures.deleteMark, { id }));
/** The answer is shown by the `clip-saved` notice. */
export const saveRecovery = (): Promise<boolean> =>
  attempt(() => ask(procedures.saveRecovery, undefined).catch(unlessCancelled));
export const discardRecovery = (): Promise<boolean> => attempt(() => ask(procedures.discardRecovery, undefined));
export const clearReplay = (): Promise<boolean> => attempt(() => ask(procedures.clearReplay, undefined));
export const revealClip = (id: string): Promise<boolean> => attempt(() => ask(procedures.revealClip, { id }));
/** Resolves once every encoder was tried; what came out shows in the state as it comes. */
export const testEncoders = (): Promise<boolean> => attempt(() => ask(procedures.testEncoders, undefined));
export const openClipsFolder = (): Promise<boolean> => attempt(() => ask(procedures.openClipsFolder, undefined));
export const refreshSources = (): Promise<boolean> => attempt(() => ask(procedures.refreshSources, undefined));

export async function deleteClip(id: string): Promise<boolean> {
  const deleted = await attempt(() => ask(procedures.deleteClip, { id }));
  const { dialog } = useStudioStore.getState();
  if (deleted && dialog?.kind === 'clip' && dialog.id === id) closeDialog();
  return deleted;
}

export const enablePushTarget = (id: string, enabled: boolean): Promise<boolean> =>
  attempt(() => ask(procedures.enablePushTarget, { id, enabled }));
export const deletePushTarget = (id: string): Promise<boolean> =>
  attempt(() => ask(procedures.deletePushTarget, { id }));
/** The report is part of the state. */
export const runSetupTest = (): Promise<boolean> => attempt(() => ask(procedures.runSetupTest, undefined));
export const cancelSetupTest = (): Promise<boolean> => attempt(() => ask(procedures.cancelSetupTest, undefined));
/** Throws `StudioError`: the form shows it in place. */
export const setPushTarget = (request: PushTargetRequest): Promise<unknown> => ask(procedures.setPushTarget, request);

/** Throws `StudioError`: the settings dialog shows it in place. */
export const followGame = (on: boolean): Promise<boolean> => attempt(() => updateSettings({ followGame: on }));
export const updateSettings = (patch: SettingsPatch): Promise<unknown> => ask(procedures.updateSettings, patch);
