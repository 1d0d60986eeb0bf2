import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import x11 from 'x11';
import type { XClient, XClientOptions, XDisplay, XEvent, XReply, XRequestError } from 'x11';
import { X11Error } from './errors.ts';

/** How long opening a display, or one request, may take. */
const X11_DEADLINE_MS = 5000;

/** Protocol error codes (X11 protocol, section 4). */
const BAD_WINDOW = 3;
const BAD_DRAWABLE = 9;
const BAD_ACCESS = 10;

export type Unsubscribe = () => void;

/** A set of listeners whose exceptions become process warnings: a bug in one must not break the protocol parser under it. */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();

  add(listener: (value: T) => void): Unsubscribe {
    // A wrapper of its own, so that one function added twice is called twice and removed separately.
    const own = (value: T): void => listener(value);
    this.#all.add(own);
    return () => {
      this.#all.delete(own);
    };
  }

  get size(): number {
    return this.#all.size;
  }

  emit(value: T): void {
    for (const listener of [...this.#all]) {
      try {
        listener(value);
      } catch (thrown) {
        process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    }
  }

  clear(): void {
    this.#all.clear();
  }
}

/**
 * One connection to an X server: requests as promises with a deadline, events, loss, and event masks that several users of one
 * window share. It never emits an unhandled 'error' and never throws from a callback.
 */
export class X11Connection {
  readonly client: XClient;
  readonly display: XDisplay;
  /** root window of the screen the display name selects */
  readonly root: number;
  readonly screen: { readonly width: number; readonly height: number };
  readonly #events = new Listeners<XEvent>();
  readonly #lost = new Listeners<X11Error>();
  readonly #pending = new Set<(error: X11Error) => void>();
  readonly #voidErrors = new Map<number, XRequestError>();
  readonly #voidWaiting = new Set<number>();
  readonly #masks = new Map<number, number[]>();
  readonly #atoms = new Map<string, Promise<number>>();
  #ended: X11Error | undefined;

  constructor(client: XClient, display: XDisplay, screenNumber: number) {
    const screen = display.screen[screenNumber] ?? display.screen[0];
    if (!screen) throw new X11Error('unreachable', 'The X server has no screen.');
    this.client = client;
    client.atoms = {};
    this.display = display;
    this.root = screen.root;
    this.screen = { width: screen.pixel_width, height: screen.pixel_height };
    client.on('event', (event: XEvent) => this.#events.emit(event));
    client.on('error', (error: XRequestError) => {
      // Failures of requests without a reply arrive here; those nobody waits for (a window gone before we let go of it) are harmless.
      if (error.error !== undefined && error.seq !== undefined) {
        if (this.#voidWaiting.has(error.seq)) this.#voidErrors.set(error.seq, error);
      } else this.#end(new X11Error('lost', 'The connection to the X server broke.', { cause: error }));
    });
    const gone = (): void => this.#end(new X11Error('lost', 'The X server closed the connection.'));
    client.on('end', gone);
    client.stream?.on('close', gone);
  }

  /** Why the connection is over, if it is. */
  get ended(): X11Error | undefined {
    return this.#ended;
  }

  /** Called once, when the connection ends other than by `close`; at once if that has happened. */
  onLost(listener: (error: X11Error) => void): Unsubscribe {
    const ended = this.#ended;
    if (!ended) return this.#lost.add(listener);
    if (ended.code === 'closed') return () => undefined;
    const late = new Listeners<X11Error>();
    const remove = late.add(listener);
    queueMicrotask(() => late.emit(ended));
    return remove;
  }

  onEvent(listener: (event: XEvent) => void): Unsubscribe {
    return this.#events.add(listener);
  }

  /** A request with a reply. Errors: `X11Error`. */
  request<T>(send: (reply: XReply<T>) => void): Promise<T> {
    return this.#bounded((resolve, reject) => {
      send((error, reply) => {
        if (error) reject(typed(error));
        else resolve(reply);
        return true;
      });
    });
  }

  /** A request without a reply; resolves once the server has really done it. Errors: `X11Error`. */
  async checked(send: () => void): Promise<void> {
    if (this.#ended) throw this.#ended;
    send();
    const sequence = this.client.seq_num;
    this.#voidWaiting.add(sequence);
    try {
      await this.sync();
      const error = this.#voidErrors.get(sequence);
      if (error) throw typed(error);
    } finally {
      this.#voidWaiting.delete(sequence);
      this.#voidErrors.delete(sequence);
    }
  }

  /** A round trip: everything sent before has been processed. */
  async sync(): Promise<void> {
    await this.request<{ focus: number }>((reply) => this.client.GetInputFocus(reply));
  }

  /** An extension of the package, or undefined where the server has none. */
  extension<T>(load: (reply: (error: Error | null | undefined, extension: T) => void) => void): Promise<T | undefined> {
    return this.#bounded<T | undefined>((resolve) => {
      load((error, extension) => resolve(error ? undefined : extension));
    });
  }

  atom(name: string): Promise<number> {
    const known = this.#atoms.get(name);
    if (known) return known;
    const asked = this.request<number>((reply) => this.client.InternAtom(false, name, reply));
    this.#atoms.set(name, asked);
    asked.catch(() => this.#atoms.delete(name));
    return asked;
  }

  /**
   * Selects events on a window for as long as the returned function is not called. A client has one mask per window, so the masks of
   * all users of this connection are joined. Errors: `X11Error` `no-window`.
   */
  async select(window: number, mask: number): Promise<() => Promise<void>> {
    const held = this.#masks.get(window) ?? [];
    held.push(mask);
    this.#masks.set(window, held);
    let released = false;
    const release = async (): Promise<void> => {
      if (released) return;
      released = true;
      held.splice(held.indexOf(mask), 1);
      if (held.length === 0 && this.#masks.get(window) === held) this.#masks.delete(window);
      // The window, or the server, may be gone; then there is nothing left to take back.
      await this.#applyMask(window, held).catch(() => undefined);
    };
    try {
      await this.#applyMask(window, held);
    } catch (error) {
      await release();
      throw error;
    }
    return release;
  }

  /** Ends the connection and resolves once the socket is closed; everything we held at the server is freed by the server. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#end(new X11Error('closed', 'The connection to the X server was closed.'));
    await endStream(this.client);
  }

  #applyMask(window: number, held: readonly number[]): Promise<void> {
    const eventMask = held.reduce((all, mask) => all | mask, 0);
    return this.checked(() => this.client.ChangeWindowAttributes(window, { eventMask }));
  }

  #bounded<T>(start: (resolve: (value: T) => void, reject: (error: X11Error) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      const done = (): void => {
        clearTimeout(timer);
        this.#pending.delete(fail);
      };
      const fail = (error: X11Error): void => {
        done();
        reject(error);
      };
      const timer = setTimeout(() => fail(new X11Error('timeout', 'The X server does not answer.')), X11_DEADLINE_MS);
      this.#pending.add(fail);
      start((value) => {
        done();
        resolve(value);
      }, fail);
    });
  }

  #end(error: X11Error): void {
    if (this.#ended) return;
    this.#ended = error;
    for (const fail of [...this.#pending]) fail(error);
    if (error.code === 'lost') {
      this.client.stream?.destroy();
      this.#lost.emit(error);
    }
    this.#lost.clear();
    this.#events.clear();
  }
}

function typed(error: XRequestError): X11Error {
  switch (error.error) {
    case BAD_WINDOW:
    case BAD_DRAWABLE:
      return new X11Error('no-window', 'The window no longer exists.', { cause: error });
    case BAD_ACCESS:
      return new X11Error('taken', 'Another program holds it.', { cause: error });
    default:
      return new X11Error('refused', `The X server refused a request (${error.message}).`, { cause: error });
  }
}

/**
 * Connects to `name` (`:0`, `host:1.0`). Errors: `X11Error` `unreachable` (no such display, refused, not a display name), `timeout`
 * after 5 s, `closed` when the signal aborts.
 */
export async function connect(name: string, signal?: AbortSignal): Promise<X11Connection> {
  const options: XClientOptions = { display: name, shm: false, disableBigRequests: true, bufferRequests: true };
  // The package throws out of a file callback, where nobody can catch it, when it may not read the Xauthority file.
  if (!(await xauthorityIsUsable())) options.auth = { name: '', data: '' };
  if (signal?.aborted) throw new X11Error('closed', 'Connecting to the X server was cancelled.');
  return await new Promise<X11Connection>((resolve, reject) => {
    let settled = false;
    let client: XClient | undefined;
    const settle = (then: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      then();
    };
    const fail = (error: X11Error): void =>
      settle(() => {
        client?.stream?.destroy();
        reject(error);
      });
    const onAbort = (): void => fail(new X11Error('closed', 'Connecting to the X server was cancelled.'));
    const timer = setTimeout(
      () => fail(new X11Error('timeout', `The X server ${name} does not answer.`)),
      X11_DEADLINE_MS,
    );
    const unreachable = (cause: unknown): X11Error =>
      new X11Error('unreachable', `The X server ${name} cannot be reached.`, { cause });
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      client = x11.createClient(options, (error, display) => {
        if (settled) display?.client.stream?.destroy();
        else if (error) fail(unreachable(error));
        else if (display) {
          try {
            const connection = new X11Connection(display.client, display, Number(x11.parseDisplay(name).screenNum));
            settle(() => resolve(connection));
          } catch (thrown) {
            fail(unreachable(thrown));
          }
        }
      });
      client.on('error', (error: XRequestError) => fail(unreachable(error)));
    } catch (thrown) {
      fail(unreachable(thrown));
    }
  });
}

async function xauthorityIsUsable(): Promise<boolean> {
  try {
    await readFile(process.env['XAUTHORITY'] ?? join(homedir(), '.Xauthority'));
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

function endStream(client: XClient): Promise<void> {
  const stream = client.stream;
  if (!stream || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => stream.destroy(), 1000);
    stream.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    client.terminate();
  });
}
