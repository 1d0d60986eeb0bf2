import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import { StudioError } from '../errors.ts';
import type { CallProcedure, EventsProcedure, FramesProcedure } from '../procedures.ts';
import { connectContract, type ContractClient } from './client.ts';
import { portWire, type PortLike } from './port.ts';
import { handlerMap, onCall, onEvents, onFrames, serveContract, type FrameSink } from './server.ts';
import type { Wire } from './wire.ts';
import { wsWire } from './ws.ts';

const add: CallProcedure<z.ZodObject<{ a: z.ZodNumber; b: z.ZodNumber }>, z.ZodNumber> = {
  kind: 'call',
  name: 'add',
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.number(),
};
const fail: CallProcedure<z.ZodString, z.ZodUndefined> = {
  kind: 'call',
  name: 'fail',
  input: z.string(),
  output: z.undefined(),
};
const hang: CallProcedure<z.ZodUndefined, z.ZodUndefined> = {
  kind: 'call',
  name: 'hang',
  input: z.undefined(),
  output: z.undefined(),
};
const ticks: EventsProcedure<z.ZodNumber> = { kind: 'events', name: 'ticks', event: z.number() };
const frames: FramesProcedure = { kind: 'frames', name: 'frames' };

type Pair = { server: Wire; client: Wire; stop: () => Promise<void> };

async function webSocketPair(): Promise<Pair> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  const accepted = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
  const client = new WebSocket(`ws://127.0.0.1:${address.port}`);
  const [peer] = await Promise.all([accepted, once(client, 'open')]);
  return {
    server: wsWire(peer),
    client: wsWire(client),
    stop: async () => {
      client.terminate();
      peer.terminate();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Node's port has the DOM's methods and its own types for them. */
const portLike = (port: MessagePort): PortLike => ({
  postMessage: (message) => port.postMessage(message),
  start: () => port.start(),
  close: () => port.close(),
  addEventListener(type: 'message' | 'close', listener: (event: { data: unknown }) => void) {
    port.on(type, (data: unknown) => listener({ data }));
  },
});

function portPair(): Promise<Pair> {
  const { port1, port2 } = new MessageChannel();
  return Promise.resolve({
    server: portWire(portLike(port1)),
    client: portWire(portLike(port2)),
    stop: async () => {
      port1.close();
      port2.close();
      return Promise.resolve();
    },
  });
}

describe.each([
  ['WebSocket', webSocketPair],
  ['MessagePort', portPair],
])('the contract over a %s', (_name, makePair) => {
  let stop: (() => Promise<void>) | undefined;
  afterEach(async () => {
    await stop?.();
    stop = undefined;
  });

  const start = async (): Promise<{
    client: ContractClient;
    raw: Pair;
    seen: {
      errors: unknown[];
      aborted: boolean;
      ended: string[];
      emit: (n: number) => void;
      sink: FrameSink | undefined;
    };
  }> => {
    const raw = await makePair();
    stop = raw.stop;
    const seen = {
      errors: [] as unknown[],
      aborted: false,
      ended: [] as string[],
      emit: (_n: number): void => undefined,
      sink: undefined as FrameSink | undefined,
    };
    const handlers = handlerMap(
      [add, fail, hang, ticks, frames],
      [
        onCall(add, async ({ a, b }) => Promise.resolve(a + b)),
        onCall(fail, async (how) => {
          await Promise.resolve();
          if (how === 'typed') throw new StudioError('conflict', 'It is taken.', 'Wait.');
          throw new Error('a secret detail');
        }),
        onCall(hang, async (_input, signal) => {
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          seen.aborted = true;
          return undefined;
        }),
        onEvents(ticks, (emit) => {
          seen.emit = emit;
          emit(1);
          return () => seen.ended.push('ticks');
        }),
        onFrames(frames, (sink) => {
          seen.sink = sink;
          return () => seen.ended.push('frames');
        }),
      ],
    );
    serveContract(raw.server, handlers, {
      onError: (_n, thrown) => seen.errors.push(thrown),
      frameWindow: 3,
      maxSubscriptions: 4,
    });
    return { client: connectContract(raw.client), raw, seen };
  };

  it('answers calls, many at once, each with its own answer', async () => {
    const { client } = await start();
    const sums = await Promise.all(Array.from({ length: 50 }, async (_, i) => client.call(add, { a: i, b: 1 })));
    expect(sums).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it('refuses an input of the wrong shape before the handler sees it', async () => {
    const { client } = await start();
    const wrong: CallProcedure<z.ZodUnknown, z.ZodNumber> = { ...add, input: z.unknown() };
    await expect(client.call(wrong, { a: 'one', b: 2 })).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('passes typed errors on and keeps the text of others to itself', async () => {
    const { client, seen } = await start();
    await expect(client.call(fail, 'typed')).rejects.toMatchObject({
      code: 'conflict',
      message: 'It is taken.',
      remedy: 'Wait.',
    });
    const failure: unknown = await client.call(fail, 'untyped').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'internal' });
    expect(String(failure)).not.toContain('secret');
    expect(seen.errors).toHaveLength(1);
  });

  it('answers a name it does not know', async () => {
    const { client } = await start();
    await expect(client.call({ ...add, name: 'constructor' }, { a: 1, b: 2 })).rejects.toMatchObject({
      code: 'bad-request',
    });
  });

  it('delivers events until the subscription ends, and checks them', async () => {
    const { client, seen } = await start();
    const got: number[] = [];
    let arrived: () => void = () => undefined;
    const three = new Promise<void>((resolve) => (arrived = resolve));
    const end = client.events(ticks, (n) => {
      got.push(n);
      if (n === 3) arrived();
    });
    await client.call(add, { a: 0, b: 0 });
    seen.emit(2);
    seen.emit(Number.NaN); // not a number in JSON: dropped by the schema
    seen.emit(3);
    await three;
    expect(got).toEqual([1, 2, 3]);
    end();
    await client.call(add, { a: 0, b: 0 });
    expect(seen.ended).toEqual(['ticks']);
  });

  it('stops being ready when frames are not consumed, and is ready again after', async () => {
    const { client, seen } = await start();
    const held: (() => void)[] = [];
    const bytes: number[] = [];
    let third: () => void = () => undefined;
    const three = new Promise<void>((resolve) => (third = resolve));
    client.frames(frames, (payload, done) => {
      bytes.push(...payload);
      held.push(done);
      if (held.length === 3) third();
    });
    await client.call(add, { a: 0, b: 0 });
    const sink = seen.sink;
    if (!sink) throw new Error('not opened');
    for (const byte of [7, 8, 9]) sink.send(Uint8Array.of(byte));
    expect(sink.ready).toBe(false);
    await three;
    expect(bytes).toEqual([7, 8, 9]);
    held[0]?.();
    await client.call(add, { a: 0, b: 0 });
    expect(sink.ready).toBe(true);
  });

  it('bounds the subscriptions of one client', async () => {
    const { client, seen } = await start();
    for (let i = 0; i < 8; i++) client.events(ticks, () => undefined);
    await client.call(add, { a: 0, b: 0 });
    client.close();
    await expect.poll(() => seen.ended.length).toBe(4);
  });

  it('ends subscriptions, calls and their signals when the other side goes away', async () => {
    const { client, raw, seen } = await start();
    client.events(ticks, () => undefined);
    const hung = client.call(hang, undefined);
    await client.call(add, { a: 1, b: 1 });
    raw.client.close();
    await expect(hung).rejects.toMatchObject({ code: 'disconnected' });
    await expect.poll(() => seen.aborted).toBe(true);
    expect(seen.ended).toEqual(['ticks']);
    await expect(client.call(add, { a: 1, b: 1 })).rejects.toMatchObject({ code: 'disconnected' });
  });

  it('cancels by signal and by time', async () => {
    const { client } = await start();
    const cancel = new AbortController();
    const hung = client.call(hang, undefined, { signal: cancel.signal });
    cancel.abort();
    await expect(hung).rejects.toMatchObject({ code: 'cancelled' });
    await expect(client.call(hang, undefined, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'disconnected' });
  });

  it('hangs up on a peer that does not speak the contract', async () => {
    const { client, raw } = await start();
    const closed = new Promise<void>((resolve) => client.onClose(resolve));
    raw.client.sendFrame(1, Uint8Array.of(1, 2, 3));
    await closed;
  });
});

describe('handlerMap', () => {
  it('fails at once when a procedure has no handler', () => {
    expect(() => handlerMap([add, ticks], [onCall(add, async ({ a }) => Promise.resolve(a))])).toThrow('ticks');
  });
});

describe('a WebSocket peer that sends garbage', () => {
  it('is closed with 1007', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no address');
    server.on('connection', (peer) => serveContract(wsWire(peer), new Map(), { onError: () => undefined }));
    const client = new WebSocket(`ws://127.0.0.1:${address.port}`);
    await once(client, 'open');
    client.send('{not json');
    const closed = await new Promise<number>((resolve) => client.on('close', (code) => resolve(code)));
    expect(closed).toBe(1007);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});
