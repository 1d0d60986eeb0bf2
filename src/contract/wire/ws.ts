import type { Wire, WireListener } from './wire.ts';

/** The part of a WebSocket that the browser's and the `ws` package's have in common. */
export interface SocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close' | 'error', listener: () => void): void;
}

const OPEN = 1;

/**
 * A `Wire` over an open WebSocket: JSON as text frames; binary frames are a 4-byte big-endian stream id, then the payload.
 * A text frame that is not JSON closes the socket (RFC 6455 code 1007).
 */
export function wsWire(socket: SocketLike): Wire {
  socket.binaryType = 'arraybuffer';
  return {
    send(message) {
      if (socket.readyState === OPEN) socket.send(JSON.stringify(message));
    },
    sendFrame(streamId, payload) {
      if (socket.readyState !== OPEN) return;
      const out = new Uint8Array(4 + payload.byteLength);
      new DataView(out.buffer).setUint32(0, streamId);
      out.set(payload, 4);
      socket.send(out);
    },
    get buffered() {
      return socket.bufferedAmount;
    },
    listen(listener: WireListener) {
      let closed = false;
      socket.addEventListener('message', ({ data }) => {
        if (closed) return;
        if (typeof data === 'string') {
          let message: unknown;
          try {
            message = JSON.parse(data);
          } catch {
            socket.close(1007, 'not JSON');
            return;
          }
          listener.onMessage(message);
        } else if (data instanceof ArrayBuffer && data.byteLength >= 4) {
          listener.onFrame(new DataView(data).getUint32(0), new Uint8Array(data, 4));
        } else {
          socket.close(1007, 'unexpected frame');
        }
      });
      const end = (): void => {
        if (closed) return;
        closed = true;
        listener.onClose();
      };
      socket.addEventListener('close', end);
      socket.addEventListener('error', end);
    },
    close() {
      socket.close();
    },
  };
}
