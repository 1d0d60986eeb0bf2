import { z } from 'zod';
import { ErrorInfo } from '../errors.ts';

/**
 * A two-way pipe for JSON messages and binary frames, in order. Implementations: `wsWire` (browser and `ws`) and
 * `portWire` (DOM, worker and Electron message ports). What arrives is untrusted and typed `unknown`.
 */
export interface Wire {
  send(message: ClientMessage | ServerMessage): void;
  sendFrame(streamId: number, payload: Uint8Array): void;
  /** Bytes accepted by `send*` and not yet handed to the system; 0 where the transport cannot tell. */
  readonly buffered: number;
  /** May be called once; messages that arrived earlier are delivered then. */
  listen(listener: WireListener): void;
  close(): void;
}

export type WireListener = {
  onMessage(message: unknown): void;
  onFrame(streamId: number, payload: Uint8Array): void;
  onClose(): void;
};

const Id = z.int().nonnegative().max(0xffff_ffff);

/** What a client may send. `ack` returns credit for `frames` subscriptions: that many frames were consumed. */
export const ClientMessage = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('call'), id: Id, name: z.string().max(64), input: z.unknown().optional() }),
  z.strictObject({ t: z.literal('open'), id: Id, name: z.string().max(64) }),
  z.strictObject({ t: z.literal('close'), id: Id }),
  z.strictObject({ t: z.literal('ack'), id: Id, frames: z.int().positive().max(1000) }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

export const ServerMessage = z.discriminatedUnion('t', [
  z.object({ t: z.literal('ok'), id: Id, output: z.unknown().optional() }),
  z.object({ t: z.literal('error'), id: Id, error: ErrorInfo }),
  z.object({ t: z.literal('event'), id: Id, event: z.unknown() }),
]);
export type ServerMessage = z.infer<typeof ServerMessage>;

/** Upper bound of one message from a client; the WebSocket server enforces it before parsing. */
export const MAX_MESSAGE_BYTES = 256 * 1024;
