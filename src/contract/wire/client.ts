import type { z } from 'zod';
import { StudioError } from '../errors.ts';
import type { CallProcedure, EventsProcedure, FramesProcedure } from '../procedures.ts';
import { ServerMessage, type Wire } from './wire.ts';

export type CallOptions = { signal?: AbortSignal; timeoutMs?: number };
/** `done` gives the sender credit for another frame; call it once the frame was decoded or dropped. */
export type FrameListener = (payload: Uint8Array, done: () => void) => void;

/** A typed client of the contract over any `Wire`. */
export interface ContractClient {
  /** Errors: `StudioError` as the engine gave it; `disconnected` when the wire closes; `cancelled` by the signal. */
  call<I extends z.ZodType, O extends z.ZodType>(
    procedure: CallProcedure<I, O>,
    input: z.input<I>,
    options?: CallOptions,
  ): Promise<z.output<O>>;
  /** Returns a function that ends the subscription. */
  events<E extends z.ZodType>(procedure: EventsProcedure<E>, listener: (event: z.output<E>) => void): () => void;
  frames(procedure: FramesProcedure, listener: FrameListener): () => void;
  onClose(listener: () => void): void;
  close(): void;
}

type Pending = { resolve: (output: unknown) => void; reject: (error: Error) => void };

/** A save of a long buffer is the slowest call there is. */
const CALL_TIMEOUT_MS = 120_000;

const disconnected = (): StudioError =>
  new StudioError(
    'disconnected',
    'The connection to the studio was lost.',
    'It is being opened again; if this stays, restart Pitwall.',
  );

export function connectContract(wire: Wire): ContractClient {
  let nextId = 1;
  let closed = false;
  const calls = new Map<number, Pending>();
  const eventListeners = new Map<number, (event: unknown) => void>();
  const frameListeners = new Map<number, FrameListener>();
  const closeListeners = new Set<() => void>();

  wire.listen({
    onMessage(raw) {
      const parsed = ServerMessage.safeParse(raw);
      if (!parsed.success) return;
      const message = parsed.data;
      if (message.t === 'event') {
        eventListeners.get(message.id)?.(message.event);
        return;
      }
      const pending = calls.get(message.id);
      if (!pending) return;
      calls.delete(message.id);
      if (message.t === 'ok') pending.resolve(message.output);
      else pending.reject(new StudioError(message.error.code, message.error.message, message.error.remedy));
    },
    onFrame(streamId, payload) {
      frameListeners.get(streamId)?.(payload, () => wire.send({ t: 'ack', id: streamId, frames: 1 }));
    },
    onClose() {
      closed = true;
      for (const pending of calls.values()) pending.reject(disconnected());
      calls.clear();
      eventListeners.clear();
      frameListeners.clear();
      for (const listener of closeListeners) listener();
    },
  });

  const open = (name: string, forget: (id: number) => void, remember: (id: number) => void): (() => void) => {
    const id = nextId++;
    remember(id);
    wire.send({ t: 'open', id, name });
    return () => {
      forget(id);
      if (!closed) wire.send({ t: 'close', id });
    };
  };

  return {
    async call(procedure, input, options = {}) {
      if (closed) throw disconnected();
      const { signal, timeoutMs = CALL_TIMEOUT_MS } = options;
      const id = nextId++;
      const output = await new Promise<unknown>((resolve, reject) => {
        const giveUp = (error: Error): void => {
          calls.delete(id);
          reject(error);
        };
        const onAbort = (): void => giveUp(new StudioError('cancelled', 'Cancelled.', 'Ask again when you want it.'));
        const timer = setTimeout(
          () =>
            giveUp(
              new StudioError(
                'disconnected',
                'The studio did not answer in time.',
                'Try again; the log holds the details.',
              ),
            ),
          timeoutMs,
        );
        const settle = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
        };
        calls.set(id, {
          resolve: (value) => {
            settle();
            resolve(value);
          },
          reject: (error) => {
            settle();
            reject(error);
          },
        });
        signal?.addEventListener('abort', onAbort, { once: true });
        if (signal?.aborted) onAbort();
        else wire.send({ t: 'call', id, name: procedure.name, input });
      });
      return procedure.output.parse(output);
    },
    events(procedure, listener) {
      return open(
        procedure.name,
        (id) => eventListeners.delete(id),
        (id) =>
          eventListeners.set(id, (raw) => {
            const event = procedure.event.safeParse(raw);
            if (event.success) listener(event.data);
          }),
      );
    },
    frames(procedure, listener) {
      return open(
        procedure.name,
        (id) => frameListeners.delete(id),
        (id) => frameListeners.set(id, listener),
      );
    },
    onClose(listener) {
      closeListeners.add(listener);
    },
    close() {
      wire.close();
    },
  };
}
