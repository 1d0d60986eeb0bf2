import { avcCodecString, decodePreviewFrame, type PreviewFrame } from '../../contract/preview.ts';
import type { PlayerState } from './protocol.ts';

/** The part of a WebCodecs `VideoDecoder` used here; `decode` takes a frame so that a test needs no browser. */
export interface Decoder {
  /** frames taken by `decode` and not yet by the codec (W3C WebCodecs, decodeQueueSize) */
  readonly queued: number;
  decode(frame: PreviewFrame): void;
  close(): void;
}

export type DecoderEvents = { onTaken: () => void; onError: (error: Error) => void };

export type FramePlayerDeps = {
  /** throws, or calls `onError` later, when the codec is not supported */
  createDecoder: (codec: string, events: DecoderEvents) => Decoder;
  credit: (frames: number) => void;
  onState: (state: PlayerState, detail?: string) => void;
};

/**
 * Feeds preview frames to a decoder. It starts at a keyframe, starts again with a fresh decoder after a gap, another
 * codec or an error, and gives credit for each frame exactly once: when the codec took it or when it was dropped.
 */
export class FramePlayer {
  readonly #deps: FramePlayerDeps;
  #decoder: Decoder | undefined;
  #codec = '';
  #uncredited = 0;

  constructor(deps: FramePlayerDeps) {
    this.#deps = deps;
  }

  push(payload: Uint8Array): void {
    const frame = decodePreviewFrame(payload);
    if (!frame) {
      this.#deps.credit(1);
      return;
    }
    const codec = avcCodecString(frame.profile);
    if (frame.discontinuity || (frame.keyframe && codec !== this.#codec)) this.#drop();
    if (!this.#decoder && frame.keyframe) this.#start(codec);
    if (!this.#decoder) {
      this.#deps.credit(1);
      return;
    }
    this.#uncredited++;
    try {
      this.#decoder.decode(frame);
    } catch (thrown) {
      this.#fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  /** Forgets everything; the next frame shown is a keyframe. */
  pause(): void {
    this.#drop();
    this.#deps.onState('paused');
  }

  #start(codec: string): void {
    this.#codec = codec;
    const events: DecoderEvents = {
      onTaken: () => {
        if (this.#decoder === decoder) this.#settle(this.#decoder?.queued ?? 0);
      },
      onError: (error) => {
        if (this.#decoder === decoder) this.#fail(error);
      },
    };
    let decoder: Decoder | undefined;
    try {
      decoder = this.#deps.createDecoder(codec, events);
      this.#decoder = decoder;
      this.#deps.onState('playing');
    } catch (thrown) {
      this.#fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  #fail(error: Error): void {
    this.#drop();
    this.#deps.onState('failed', error.message);
  }

  #drop(): void {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    this.#settle(0);
    decoder?.close();
  }

  #settle(stillQueued: number): void {
    const settled = this.#uncredited - stillQueued;
    if (settled <= 0) return;
    this.#uncredited = stillQueued;
    this.#deps.credit(settled);
  }
}
