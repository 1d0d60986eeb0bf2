/** What the page and the preview worker say to each other. */
export type ToWorker =
  | { readonly type: 'canvas'; readonly canvas: OffscreenCanvas }
  | { readonly type: 'frame'; readonly payload: Uint8Array<ArrayBuffer> }
  /** nobody looks: forget what was decoded, keep the last picture */
  | { readonly type: 'pause' };

/**
 * - `waiting` for a keyframe · `playing` pictures are drawn · `paused` not subscribed · `failed` the decoder gave up on
 *   the present picture and waits for the next keyframe, `detail` says why
 */
export type PlayerState = 'waiting' | 'playing' | 'paused' | 'failed';

export type FromWorker =
  /** that many frames were decoded or dropped: the sender may send as many more */
  | { readonly type: 'credit'; readonly frames: number }
  | {
      readonly type: 'status';
      readonly state: PlayerState;
      readonly framesDrawn: number;
      /** pictures drawn per second, over the last two; null until two seconds have been watched */
      readonly fps: number | null;
      readonly detail?: string;
    };
