import { z } from 'zod';
import { SessionState, StartCapture } from './capture.ts';
import { ClipId } from './clips.ts';
import { PushTargetId, PushTargetRequest } from './push.ts';
import { Mark, MarkId, MarkRequest, SaveAnswer, SaveJobId, SaveRequest } from './replay.ts';
import { Settings, SettingsPatch } from './settings.ts';
import { SetupReport } from './setup-test.ts';
import { Source } from './sources.ts';
import { Notice, StateEvent } from './state.ts';

/** Asked once, answered once. */
export type CallProcedure<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> = {
  readonly kind: 'call';
  readonly name: string;
  readonly input: I;
  readonly output: O;
};
/** A subscription to JSON events. */
export type EventsProcedure<E extends z.ZodType = z.ZodType> = {
  readonly kind: 'events';
  readonly name: string;
  readonly event: E;
};
/** A subscription to binary frames (`preview.ts`). */
export type FramesProcedure = { readonly kind: 'frames'; readonly name: string };
export type Procedure = CallProcedure | EventsProcedure | FramesProcedure;

const call = <I extends z.ZodType, O extends z.ZodType>(name: string, input: I, output: O): CallProcedure<I, O> => ({
  kind: 'call',
  name,
  input,
  output,
});
const events = <E extends z.ZodType>(name: string, event: E): EventsProcedure<E> => ({ kind: 'events', name, event });
const frames = (name: string): FramesProcedure => ({ kind: 'frames', name });

const Nothing = z.undefined();
const OneClip = z.strictObject({ id: ClipId });

/**
 * Everything a client may ask of the engine. The server validates inputs, the client validates answers and events;
 * types on both sides come from these schemas.
 */
export const procedures = {
  startCapture: call('capture.start', StartCapture, SessionState),
  stopCapture: call('capture.stop', Nothing, SessionState),
  refreshSources: call('sources.refresh', Nothing, z.array(Source)),
  saveReplay: call('replay.save', SaveRequest, SaveAnswer),
  cancelSave: call('replay.cancelSave', z.strictObject({ id: SaveJobId }), Nothing),
  addMark: call('marks.add', MarkRequest, Mark),
  deleteMark: call('marks.delete', z.strictObject({ id: MarkId }), Nothing),
  saveRecovery: call('recovery.save', Nothing, SaveAnswer),
  discardRecovery: call('recovery.discard', Nothing, Nothing),
  clearReplay: call('replay.clear', Nothing, Nothing),
  deleteClip: call('clips.delete', OneClip, Nothing),
  revealClip: call('clips.reveal', OneClip, Nothing),
  openClipsFolder: call('clips.openFolder', Nothing, Nothing),
  updateSettings: call('settings.update', SettingsPatch, Settings),
  /** adds a push target, or changes the one with that id */
  setPushTarget: call('push.set', PushTargetRequest, z.strictObject({ id: PushTargetId })),
  enablePushTarget: call('push.enable', z.strictObject({ id: PushTargetId, enabled: z.boolean() }), Nothing),
  deletePushTarget: call('push.delete', z.strictObject({ id: PushTargetId }), Nothing),
  /** tries every encoder anew */
  testEncoders: call('encoders.test', Nothing, Nothing),
  /** about ten seconds; refused while something is captured */
  runSetupTest: call('setup.test', Nothing, SetupReport),
  cancelSetupTest: call('setup.cancel', Nothing, Nothing),
  watchState: events('state', StateEvent),
  watchNotices: events('notices', Notice),
  watchPreview: frames('preview'),
} as const;
