import type { PreviewFrame } from '../../contract/preview.ts';
import { type Decoder, type DecoderEvents, FramePlayer } from './frame-player.ts';
import type { FromWorker, PlayerState, ToWorker } from './protocol.ts';

/** What a dedicated worker's global scope has and a window's has not. */
declare const self: {
  postMessage(message: FromWorker): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
};

const STATUS_MS = 250;
/** long enough that 30 pictures a second do not read as 29 and 31 in turn */
const WINDOW_MS = 2000;

let canvas: OffscreenCanvas | undefined;
let context: OffscreenCanvasRenderingContext2D | null = null;
let newest: VideoFrame | undefined;
let drewThisTick = false;
let framesDrawn = 0;
let drawnAt: number[] = [];
let playingSince: number | undefined;
let state: PlayerState = 'waiting';
let detail: string | undefined;
let reporting: ReturnType<typeof setInterval> | undefined;

function draw(): void {
  const frame = newest;
  newest = undefined;
  if (!frame) return;
  if (canvas && context) {
    if (canvas.width !== frame.displayWidth || canvas.height !== frame.displayHeight) {
      canvas.width = frame.displayWidth;
      canvas.height = frame.displayHeight;
    }
    context.drawImage(frame, 0, 0, canvas.width, canvas.height);
    framesDrawn++;
    drawnAt.push(performance.now());
  }
  frame.close();
}

/** The first picture of a display tick is drawn at once; of later ones in the same tick only the newest is, at its end. */
function show(frame: VideoFrame): void {
  newest?.close();
  newest = frame;
  if (drewThisTick) return;
  drewThisTick = true;
  draw();
  requestAnimationFrame(() => {
    drewThisTick = false;
    draw();
  });
}

function createDecoder(codec: string, events: DecoderEvents): Decoder {
  const decoder = new VideoDecoder({
    output: (frame) => {
      show(frame);
      events.onTaken();
    },
    error: (error) => events.onError(error),
  });
  decoder.addEventListener('dequeue', () => events.onTaken());
  // no `description`: the stream is Annex B with its parameter sets in band (W3C AVC WebCodecs registration)
  decoder.configure({ codec, optimizeForLatency: true, hardwareAcceleration: 'no-preference' });
  return {
    get queued() {
      return decoder.decodeQueueSize;
    },
    decode: (frame: PreviewFrame) =>
      decoder.decode(
        new EncodedVideoChunk({
          type: frame.keyframe ? 'key' : 'delta',
          timestamp: frame.timestampMicros,
          data: frame.data,
        }),
      ),
    close: () => {
      if (decoder.state !== 'closed') decoder.close();
    },
  };
}

function report(): void {
  const now = performance.now();
  drawnAt = drawnAt.filter((at) => at > now - WINDOW_MS);
  const measured = playingSince !== undefined && now - playingSince >= WINDOW_MS;
  self.postMessage({
    type: 'status',
    state,
    framesDrawn,
    fps: measured ? Math.round((drawnAt.length * 1000) / WINDOW_MS) : null,
    ...(detail === undefined ? {} : { detail }),
  });
}

const player = new FramePlayer({
  createDecoder,
  credit: (frames) => self.postMessage({ type: 'credit', frames }),
  onState: (next, why) => {
    state = next;
    detail = why;
    if (next === 'playing') playingSince ??= performance.now();
    else playingSince = undefined;
    report();
  },
});

self.addEventListener('message', ({ data }) => {
  switch (data.type) {
    case 'canvas':
      canvas = data.canvas;
      context = canvas.getContext('2d', { alpha: false, desynchronized: true });
      return;
    case 'frame':
      reporting ??= setInterval(report, STATUS_MS);
      player.push(data.payload);
      return;
    case 'pause':
      clearInterval(reporting);
      reporting = undefined;
      newest?.close();
      newest = undefined;
      drewThisTick = false;
      player.pause();
  }
});
