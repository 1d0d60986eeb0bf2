import type { z } from 'zod';
import { StudioError, toErrorInfo } from '../errors.ts';
import type { CallProcedure, EventsProcedure, FramesProcedure, Procedure } from '../procedures.ts';
import { ClientMessage, type Wire } from './wire.ts';

/** Where a `frames` handler writes. While `ready` is false the reader has not consumed what it got: skip, never queue. */
export interface FrameSink {
  readonly ready: boolean;
  send(payload: Uint8Array): void;
}

type CallHandler = { kind: 'call'; name: string; run: (input: unknown, signal: AbortSignal) => Promise<unknown> };
type EventsHandler = { kind: 'events'; name: string; open: (emit: (event: unknown) => void) => () => void };
type FramesHandler = { kind: 'frames'; name: string; open: (sink: FrameSink) => () => void };
export type Handler = CallHandler | EventsHandler | FramesHandler;

/** Validates the input before `run` sees it; a refusal is `bad-request`. */
export function onCall<I extends z.ZodType, O extends z.ZodType>(
  procedure: CallProcedure<I, O>,
  run: (input: z.output<I>, signal: AbortSignal) => Promise<z.input<O>>,
): Handler {
  return {
    kind: 'call',
    name: procedure.name,
    run: async (raw, signal) => {
      const input = procedure.input.safeParse(raw);
      if (!input.success) throw badRequest(procedure.name, input.error);
      return run(input.data, signal);
    },
  };
}

/** `open` starts a subscription and returns the function that ends it. */
export const onEvents = <E extends z.ZodType>(
  procedure: EventsProcedure<E>,
  open: (emit: (event: z.input<E>) => void) => () => void,
): Handler => ({ kind: 'events', name: procedure.name, open });

export const onFrames = (procedure: FramesProcedure, open: (sink: FrameSink) => () => void): Handler => ({
  kind: 'frames',
  name: procedure.name,
  open,
});

export function badRequest(what: string, error: z.ZodError): StudioError {
  const first = error.issues[0];
  const where = first && first.path.length > 0 ? `${first.path.join('.')}: ` : '';
  return new StudioError(
    'bad-request',
    `${what}: ${where}${first?.message ?? 'not understood'}.`,
    'Correct the value and try again.',
    {
      cause: error,
    },
  );
}

/** Looks handlers up by name; throws when a procedure has none, so that a forgotten one fails every start. */
export function handlerMap(all: Iterable<Procedure>, handlers: readonly Handler[]): ReadonlyMap<string, Handler> {
  const map = new Map(handlers.map((handler) => [handler.name, handler]));
  for (const { name, kind } of all) {
    if (map.get(name)?.kind !== kind) throw new Error(`no ${kind} handler for ${name}`);
  }
  return map;
}

export type ServeOptions = {
  /** Called with what no client is told: the cause of an `internal` error. */
  onError: (name: string, thrown: unknown) => void;
  /** frames on their way per subscription before the sink stops being ready */
  frameWindow?: number;
  maxSubscriptions?: number;
  maxCalls?: number;
};

/** Serves one client. The wire's close ends its subscriptions and aborts the signals of its calls. */
export function serveContract(wire: Wire, handlers: ReadonlyMap<string, Handler>, options: ServeOptions): void {
  const { onError, frameWindow = 20, maxSubscriptions = 16, maxCalls = 64 } = options;
  const gone = new AbortController();
  const subscriptions = new Map<number, { end: () => void; credit?: (frames: number) => void }>();
  let calls = 0;

  const fail = (id: number, thrown: unknown, name: string): void => {
    if (!(thrown instanceof StudioError)) onError(name, thrown);
    wire.send({ t: 'error', id, error: toErrorInfo(thrown) });
  };
  const unknownName = (name: string): StudioError =>
    new StudioError(
      'bad-request',
      `There is nothing named "${name}" here.`,
      'Reload the page: it may be older than the studio.',
    );

  const call = (id: number, name: string, input: unknown): void => {
    const handler = handlers.get(name);
    if (handler?.kind !== 'call') {
      fail(id, unknownName(name), name);
    } else if (calls >= maxCalls) {
      fail(id, new StudioError('conflict', 'Too many requests at once.', 'Wait for the earlier ones.'), name);
    } else {
      calls++;
      handler
        .run(input, gone.signal)
        .then(
          (output) => wire.send({ t: 'ok', id, output }),
          (thrown: unknown) => fail(id, thrown, name),
        )
        .finally(() => calls--);
    }
  };

  const subscribe = (id: number, handler: EventsHandler | FramesHandler): void => {
    if (handler.kind === 'events') {
      subscriptions.set(id, { end: handler.open((event) => wire.send({ t: 'event', id, event })) });
      return;
    }
    let inFlight = 0;
    const end = handler.open({
      get ready() {
        return inFlight < frameWindow;
      },
      send(payload) {
        inFlight++;
        wire.sendFrame(id, payload);
      },
    });
    subscriptions.set(id, { end, credit: (frames) => (inFlight = Math.max(0, inFlight - frames)) });
  };

  const open = (id: number, name: string): void => {
    const handler = handlers.get(name);
    if (!handler || handler.kind === 'call') {
      fail(id, unknownName(name), name);
    } else if (subscriptions.has(id) || subscriptions.size >= maxSubscriptions) {
      fail(id, new StudioError('conflict', 'Too many subscriptions.', 'Close some of them first.'), name);
    } else {
      try {
        subscribe(id, handler);
      } catch (thrown) {
        fail(id, thrown, name);
      }
    }
  };

  const receive = (message: ClientMessage): void => {
    switch (message.t) {
      case 'call':
        call(message.id, message.name, message.input);
        break;
      case 'open':
        open(message.id, message.name);
        break;
      case 'close':
        subscriptions.get(message.id)?.end();
        subscriptions.delete(message.id);
        break;
      case 'ack':
        subscriptions.get(message.id)?.credit?.(message.frames);
    }
  };

  wire.listen({
    onMessage(raw) {
      const message = ClientMessage.safeParse(raw);
      // what does not even have an id cannot be answered: such a peer is not a client of ours
      if (message.success) receive(message.data);
      else wire.close();
    },
    onFrame() {
      wire.close();
    },
    onClose() {
      gone.abort();
      for (const { end } of subscriptions.values()) end();
      subscriptions.clear();
    },
  });
}
