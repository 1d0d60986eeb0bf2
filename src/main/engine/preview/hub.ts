import { encodePreviewFrame } from '../../../contract/index.ts';
import type { FrameSink } from '../../../contract/wire/server.ts';

/** One picture in H.264 as its source announces it; nothing is copied before `copyAnnexB` is called. */
export type PreviewPicture = {
  keyframe: boolean;
  ptsMicros: number;
  profile: readonly [number, number, number] | undefined;
  width: number | undefined;
  height: number | undefined;
  copyAnnexB(): Uint8Array;
};

export type PictureSource = { onAccessUnit(listener: (picture: PreviewPicture) => void): () => void };

type Viewer = { sink: FrameSink; waitingForKeyframe: boolean };

/**
 * Hands the pictures of its source to whoever watches. With no viewer it is not even subscribed. A viewer that has not consumed
 * what it got is skipped to the next keyframe; it never slows the source or another viewer.
 */
export class PreviewHub {
  readonly #source: PictureSource;
  readonly #viewers = new Set<Viewer>();
  #unsubscribe: (() => void) | undefined;

  constructor(source: PictureSource) {
    this.#source = source;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  open(sink: FrameSink): () => void {
    const viewer: Viewer = { sink, waitingForKeyframe: true };
    this.#viewers.add(viewer);
    this.#unsubscribe ??= this.#source.onAccessUnit((picture) => this.#deliver(picture));
    return () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size > 0) return;
      this.#unsubscribe?.();
      this.#unsubscribe = undefined;
    };
  }

  #deliver(picture: PreviewPicture): void {
    let encoded: Uint8Array | undefined;
    let encodedWithGap: Uint8Array | undefined;
    for (const viewer of this.#viewers) {
      if (!viewer.sink.ready) viewer.waitingForKeyframe = true;
      if (viewer.waitingForKeyframe && !(picture.keyframe && viewer.sink.ready)) continue;
      const gap = viewer.waitingForKeyframe;
      viewer.waitingForKeyframe = false;
      if (gap) viewer.sink.send((encodedWithGap ??= frameOf(picture, true)));
      else viewer.sink.send((encoded ??= frameOf(picture, false)));
    }
  }
}

const frameOf = (picture: PreviewPicture, discontinuity: boolean): Uint8Array =>
  encodePreviewFrame({
    keyframe: picture.keyframe,
    discontinuity,
    profile: picture.profile ?? [0x42, 0xc0, 0x1e],
    timestampMicros: picture.ptsMicros,
    width: picture.width ?? 0,
    height: picture.height ?? 0,
    data: picture.copyAnnexB(),
  });
