import type {
  Mark,
  PushTargetRequest,
  SaveAnswer,
  SaveRequest,
  SessionState,
  Settings,
  SettingsPatch,
  SetupReport,
  Source,
  StartCapture,
  StudioState,
} from '../../contract/index.ts';
import type { ClipDesk } from './clips/desk.ts';
import type { ReplayRing } from './replay/ring.ts';

/** The engine's intents and its state, as HTTP and the contract see them. Every method rejects with `StudioError`. */
export interface Studio {
  readonly state: StudioState;
  /** the buffer, for readers of its bytes */
  readonly ring: ReplayRing;
  readonly clips: ClipDesk;
  /** Derives what changes with time (rates, seconds held) now instead of at the next tick. */
  refresh(): void;
  refreshSources(): Promise<Source[]>;
  sourceThumbnail(id: string, signal: AbortSignal): Promise<Uint8Array>;
  startCapture(request: StartCapture): Promise<SessionState>;
  stopCapture(): Promise<SessionState>;
  saveReplay(request: SaveRequest): Promise<SaveAnswer>;
  /** Ends a save under way; its caller gets `cancelled`. */
  cancelSave(id: string): Promise<void>;
  addMark(label: string | undefined): Promise<Mark>;
  deleteMark(id: string): Promise<void>;
  clearReplay(): Promise<void>;
  /** Saves what a run that ended unexpectedly left. */
  saveRecovery(): Promise<SaveAnswer>;
  discardRecovery(): Promise<void>;
  /** a JPEG of the newest keyframe held that is not after `at`, Unix seconds */
  replayThumbnail(at: number, signal: AbortSignal): Promise<Uint8Array>;
  updateSettings(patch: SettingsPatch): Promise<Settings>;
  setPushTarget(request: PushTargetRequest): Promise<{ id: string }>;
  enablePushTarget(id: string, enabled: boolean): Promise<void>;
  deletePushTarget(id: string): Promise<void>;
  testEncoders(): Promise<void>;
  runSetupTest(): Promise<SetupReport>;
  cancelSetupTest(): Promise<void>;
}
