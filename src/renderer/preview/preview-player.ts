import type { FromWorker, PlayerState, ToWorker } from './protocol.ts';

export type PlayerStatus = {
  state: PlayerState | 'unsupported';
  framesDrawn: number;
  fps: number | null;
  detail?: string;
};

export interface PreviewPlayer {
  /** The payload's buffer is given away to the worker; `done` runs once it was decoded or dropped. */
  push(payload: Uint8Array, done: () => void): void;
  pause(): void;
  destroy(): void;
}

/** Why this page cannot decode the preview; undefined when it can. */
export function previewUnsupported(): { message: string; remedy: string } | undefined {
  if (typeof VideoDecoder === 'function' && typeof OffscreenCanvas === 'function') return undefined;
  if (!window.isSecureContext) {
    return {
      message: 'The browser shows no preview on this address because it is not a secure one.',
      remedy:
        'Open Pitwall on the computer it runs on, at http://127.0.0.1 with its port. Streaming and replay are not affected.',
    };
  }
  return {
    message: 'This browser cannot decode the preview: it has no WebCodecs.',
    remedy: 'Use a current Chrome, Edge, Firefox or Safari, or the desktop app. Streaming and replay are not affected.',
  };
}

/**
 * Starts the worker that decodes and draws, on a canvas appended to `container`. The canvas carries `data-state` and
 * `data-frames-drawn` for tests.
 */
export function startPreviewPlayer(container: HTMLElement, onStatus: (status: PlayerStatus) => void): PreviewPlayer {
  const canvas = document.createElement('canvas');
  canvas.className = 'absolute inset-0 size-full object-contain';
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', 'Live preview');
  canvas.dataset['framesDrawn'] = '0';
  canvas.dataset['state'] = 'waiting';
  container.append(canvas);

  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'preview' });
  const send = (message: ToWorker, transfer: Transferable[] = []): void => worker.postMessage(message, transfer);
  // in order: the worker settles frames in the order it got them
  const unsettled: (() => void)[] = [];

  worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
    if (data.type === 'credit') {
      for (const done of unsettled.splice(0, data.frames)) done();
      return;
    }
    canvas.dataset['state'] = data.state;
    canvas.dataset['framesDrawn'] = String(data.framesDrawn);
    onStatus(data);
  });
  worker.addEventListener('error', (event) => {
    for (const done of unsettled.splice(0)) done();
    canvas.dataset['state'] = 'failed';
    onStatus({ state: 'failed', framesDrawn: 0, fps: null, detail: event.message });
  });

  const offscreen = canvas.transferControlToOffscreen();
  send({ type: 'canvas', canvas: offscreen }, [offscreen]);

  return {
    push(payload, done) {
      if (!(payload.buffer instanceof ArrayBuffer)) {
        done();
        return;
      }
      unsettled.push(done);
      const owned = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
      send({ type: 'frame', payload: owned }, [payload.buffer]);
    },
    pause: () => send({ type: 'pause' }),
    destroy() {
      worker.terminate();
      canvas.remove();
    },
  };
}
