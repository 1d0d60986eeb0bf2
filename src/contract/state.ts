import { z } from 'zod';
import { AudioState } from './audio.ts';
import { SessionState } from './capture.ts';
import { Clip } from './clips.ts';
import { EncoderStatus } from './encoders.ts';
import { ErrorInfo } from './errors.ts';
import { Health } from './health.ts';
import { PushStatus } from './push.ts';
import { Mark, RecoveryInfo, ReplayStatus, SaveJob } from './replay.ts';
import { RtmpStatus } from './rtmp.ts';
import { Settings } from './settings.ts';
import { SetupTestState } from './setup-test.ts';
import { Source } from './sources.ts';

/** One hotkey and whether it is really ours; `id` is the preset it saves, or `mark`. */
export const HotkeyStatus = z.discriminatedUnion('state', [
  z.object({ id: z.string(), state: z.literal('off') }),
  z.object({ id: z.string(), state: z.literal('active'), accelerator: z.string() }),
  z.object({ id: z.string(), state: z.literal('unavailable'), accelerator: z.string(), error: ErrorInfo }),
]);
export type HotkeyStatus = z.infer<typeof HotkeyStatus>;

export const AppInfo = z.object({
  version: z.string(),
  shell: z.enum(['desktop', 'browser']),
  platform: z.string(),
  clipsFolder: z.string(),
  httpUrl: z.string(),
});

/** The whole of what a client mirrors. Each top-level key is one section; a delta replaces whole sections. */
export const StudioState = z.object({
  app: AppInfo,
  session: SessionState,
  sources: z.array(Source),
  health: Health,
  replay: ReplayStatus,
  saves: z.array(SaveJob),
  /** oldest first */
  marks: z.array(Mark),
  recovery: RecoveryInfo.nullable(),
  rtmp: RtmpStatus,
  push: z.array(PushStatus),
  encoders: z.array(EncoderStatus),
  audio: AudioState,
  setupTest: SetupTestState,
  clips: z.array(Clip),
  settings: Settings,
  hotkeys: z.array(HotkeyStatus),
});
export type StudioState = z.infer<typeof StudioState>;

/** First a snapshot, then deltas with the next revision each; a client that sees a hole subscribes again. */
export const StateEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('snapshot'), revision: z.int(), state: StudioState }),
  z.object({ type: z.literal('delta'), revision: z.int(), changed: StudioState.partial() }),
]);
export type StateEvent = z.infer<typeof StateEvent>;

/** Things that happened once and are worth a toast. */
export const Notice = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('clip-saved'),
    clips: z.array(Clip),
    askedSeconds: z.number(),
    seconds: z.number(),
    reason: z.string().optional(),
    /** not as asked: in the second folder, or as it is for want of ffmpeg */
    warning: z.boolean().optional(),
  }),
  z.object({ type: z.literal('save-failed'), error: ErrorInfo }),
  z.object({ type: z.literal('capture-failed'), error: ErrorInfo }),
  z.object({ type: z.literal('capture-recovered'), message: z.string() }),
  /** the chosen encoder failed and another took its place */
  z.object({ type: z.literal('encoder-fallback'), message: z.string() }),
]);
export type Notice = z.infer<typeof Notice>;
