import type { FrameRate, Source, SourceKind } from '../../../contract/index.ts';
import type { SoundPlan } from '../audio/plan.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { Size } from './args.ts';
import type { ReceiverDeps, Session } from './session.ts';

/** What an open source tells the session. */
export type SourceEvent =
  | { type: 'resized' }
  /** no pictures can be had for now, e.g. the window is minimised */
  | { type: 'hidden' }
  | { type: 'shown' }
  /** it is gone for good */
  | { type: 'gone' };

/** Another way to capture the same source. */
export type NextMethod = {
  method: string;
  /** what the person must know of it, in a sentence, for instance that windows above are seen too */
  caution?: string;
};

/** A source that is being captured. */
export interface OpenSource {
  readonly id: string;
  readonly kind: SourceKind;
  readonly name: string;
  /** present size in physical pixels, where it lies if that matters to the input, and whether pictures can be had; `displayLost`: gone with the whole display */
  state(): Size & { place?: string; hidden: boolean; gone: boolean; displayLost?: boolean };
  input(fps: FrameRate): readonly string[];
  /** `input` stamps its pictures with the time of day (x11grab, gdigrab); otherwise ffmpeg does when they arrive */
  readonly stampedByWall?: boolean;
  /** filters the picture goes through first, such as a crop to the window */
  filters?(): readonly string[];
  /** how `input` captures it, for the log and the health: `x11grab`, `gfxcapture`, … */
  readonly method: string;
  /** what the person must know of this way, told with the first picture */
  readonly caution?: string | undefined;
  /** Changes `method` and `input` to the next way to capture the same thing and nothing beside it; undefined when there is none left. */
  nextMethod?(): NextMethod | undefined;
  /** sound of its own; without, the session's sound plan is heard */
  readonly audio?: SoundPlan;
  /** Whether its program still reacts; absent where nobody can be asked. May reject once the source is gone. */
  responds?(signal: AbortSignal): Promise<'yes' | 'no' | 'unknown'>;
  release(): Promise<void>;
}

/** One family of sources. `list` never rejects for what is merely absent: it answers with an empty list. */
interface SourceFamily {
  readonly name: string;
  list(signal: AbortSignal, ffmpeg: () => Promise<Ffmpeg>): Promise<Source[]>;
  /** True when `id` is of this backend's form. */
  owns(id: string): boolean;
  /** the system tells nothing of windows that come and go: whoever waits for one has to list again and again */
  readonly silent?: boolean;
  /** Calls back when the list may have changed. */
  onChanged(listener: () => void): void;
  /** A small JPEG of a source, when it can be had cheaply. */
  thumbnailInput(source: Source): readonly string[] | undefined;
  close(): Promise<void>;
}

/** Sources our own ffmpeg grabs and encodes. Later systems (avfoundation, gfxcapture, …) are further implementations. */
export interface GrabbingBackend extends SourceFamily {
  /** Errors: `source-gone`, `source-unavailable`, `ffmpeg-unsuitable`. */
  open(source: Source, ffmpeg: Ffmpeg, onEvent: (event: SourceEvent) => void, signal: AbortSignal): Promise<OpenSource>;
}

/** Sources another program encodes and sends as MPEG-TS. */
export interface ReceivingBackend extends SourceFamily {
  /** A source that may be chosen before it is listed: it is waited for. */
  awaited?(selector: string): Source | undefined;
  receive(source: Source, deps: ReceiverDeps): Session;
}

export type CaptureBackend = GrabbingBackend | ReceivingBackend;
