import { z } from 'zod';
import type { Wire, WireListener } from './wire.ts';

/** The part that DOM, worker and Node message ports share. Electron's main-side port is adapted in the desktop host. */
export interface PortLike {
  postMessage(message: unknown): void;
  start(): void;
  close(): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
}

const Envelope = z.union([
  z.strictObject({ m: z.unknown() }),
  z.strictObject({ f: z.int().nonnegative(), b: z.instanceof(Uint8Array) }),
  z.strictObject({ bye: z.literal(true) }),
]);

/**
 * A `Wire` over a message port (structured clone). A DOM port has no close event in every engine, so a closing side says
 * `bye` first. Envelopes of another shape are dropped: they cannot come from our own code.
 */
export function portWire(port: PortLike): Wire {
  let closed = false;
  let listening: WireListener | undefined;
  const end = (): void => {
    if (closed) return;
    closed = true;
    port.close();
    listening?.onClose();
  };
  return {
    send(message) {
      if (!closed) port.postMessage({ m: message });
    },
    sendFrame(streamId, payload) {
      if (!closed) port.postMessage({ f: streamId, b: payload });
    },
    buffered: 0,
    listen(listener) {
      listening = listener;
      port.addEventListener('message', ({ data }) => {
        const envelope = Envelope.safeParse(data);
        if (!envelope.success || closed) return;
        if ('m' in envelope.data) listener.onMessage(envelope.data.m);
        else if ('f' in envelope.data) listener.onFrame(envelope.data.f, envelope.data.b);
        else end();
      });
      port.addEventListener('close', end);
      port.start();
    },
    close() {
      if (!closed) port.postMessage({ bye: true });
      end();
    },
  };
}
