import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { lstat, rename } from 'node:fs/promises';
import net from 'node:net';
import type { Log } from '../logging/log.ts';
import { claimFifo, claimSocketPath, discard } from '../pipes/claim.ts';
import { addressesOf, type PipeAddresses, type PipePlace } from '../pipes/place.ts';
import { SocketServer } from '../pipes/socket-server.ts';
import { pause } from '../process/backoff.ts';

/** The pipe's name, known to users and scripts (DESIGN section 3). */
const PLAY_PIPE_NAME = 'piping_to_media_source';

const { O_WRONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
const POLL_MS = 50;
/** For what a reader has not yet taken when its connection ends. */
const DRAIN_MS = 2000;

/** Somebody who opened the pipe. */
export type PlayReader = { readonly way: 'fifo' | 'socket'; readonly connection: net.Socket };

/**
 * The way out to another program's media source: a named pipe on Windows, elsewhere a FIFO and a unix socket with the same meaning.
 * Who connects to the socket waits for the next play; who opens the FIFO waits in `open` (a FIFO needs both ends).
 */
export class PlayOutlet {
  readonly #place: PipePlace;
  readonly #log: Log;
  readonly #waiting = new Set<net.Socket>();
  #server: SocketServer | undefined;
  #hasFifo = false;
  #listening: Promise<void> | undefined;
  /** the FIFO is being replaced */
  #renewing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(place: PipePlace, log: Log) {
    this.#place = place;
    this.#log = log;
  }

  get addresses(): PipeAddresses {
    return addressesOf(this.#place.place, PLAY_PIPE_NAME);
  }

  /**
   * Makes the names; nothing when they are there, a new try after a failure. One of the two is enough. Errors: `conflict`,
   * `folder-not-writable`, `not-supported`, what `listen` says.
   */
  async listen(): Promise<void> {
    this.#listening ??= this.#listen();
    try {
      await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  /** The first reader within `ms`; null when there is none, or `signal` aborted. */
  async reader(ms: number, signal: AbortSignal): Promise<PlayReader | null> {
    const deadline = performance.now() + ms;
    await this.#renewing;
    while (!signal.aborted && !this.#closed) {
      const reader = this.#openFifo() ?? this.#nextWaiting();
      if (reader) return reader;
      if (performance.now() >= deadline) break;
      await pause(POLL_MS, signal);
    }
    return null;
  }

  /**
   * Ends a reader's connection after what it was sent; `cut`: at once. Resolves when the next one cannot be mistaken for it: a reader of
   * the FIFO sees its end only once no writer is left, so the next one gets a FIFO of its own under the same name.
   */
  async release({ way, connection }: PlayReader, how: 'end' | 'cut'): Promise<void> {
    if (way === 'fifo') {
      this.#renewing = this.#renewFifo();
      await this.#renewing;
      // what the FIFO took stays readable after it is closed
      connection.destroy();
    } else if (how === 'cut') connection.destroy();
    else {
      const timer = setTimeout(() => connection.destroy(), DRAIN_MS);
      connection.once('close', () => clearTimeout(timer));
      connection.end();
    }
  }

  /** Ends every connection and removes what was made. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#listening?.catch(() => undefined);
    await this.#renewing;
    const { fifo, socket } = this.addresses;
    if (this.#hasFifo && fifo !== undefined) {
      this.#freeOpeners(fifo);
      await discard(fifo, 'fifo');
    }
    this.#hasFifo = false;
    await this.#server?.close();
    if (this.#server && fifo !== undefined) await discard(socket, 'socket');
    this.#server = undefined;
  }

  async #listen(): Promise<void> {
    const { fifo, socket } = this.addresses;
    await this.#place.open();
    const failures: unknown[] = [];
    if (fifo !== undefined) {
      await claimFifo(fifo).then(
        () => (this.#hasFifo = true),
        (error: unknown) => failures.push(error),
      );
    }
    await this.#openServer(socket).catch((error: unknown) => failures.push(error));
    for (const failure of failures) this.#log.warn({ err: failure }, 'a pipe for the replay could not be opened');
    if (!this.#hasFifo && !this.#server) throw failures[0];
  }

  async #openServer(address: string): Promise<void> {
    if (this.#place.place.kind === 'folder') await claimSocketPath(address);
    this.#server = await SocketServer.listen(address, {
      onConnection: (connection) => this.#waiting.add(connection),
      onData: () => undefined, // a reader has nothing to say
      onEnd: (connection) => this.#waiting.delete(connection),
    });
  }

  #nextWaiting(): PlayReader | undefined {
    const [connection] = this.#waiting;
    if (!connection) return undefined;
    this.#waiting.delete(connection);
    return { way: 'socket', connection };
  }

  /** Without a reader `open` says ENXIO at once (fifo(7)); no thread waits in it. */
  #openFifo(): PlayReader | undefined {
    const { fifo } = this.addresses;
    if (!this.#hasFifo || fifo === undefined) return undefined;
    const fd = openWriteEnd(fifo);
    if (fd === undefined) return undefined;
    const connection = new net.Socket({ fd, readable: false, writable: true });
    connection.on('error', () => undefined); // 'close' follows
    return { way: 'fifo', connection };
  }

  /** A new FIFO under the name while the old one is still open: nobody finds the name missing or waits in the old one. */
  async #renewFifo(): Promise<void> {
    const { fifo } = this.addresses;
    if (fifo === undefined || this.#closed) return;
    const next = `${fifo}.next`;
    try {
      const found = await lstat(fifo);
      if (!found.isFIFO()) throw new Error(`${fifo} is no FIFO any more`);
      await claimFifo(next);
      await rename(next, fifo);
    } catch (error) {
      this.#log.warn({ err: error }, 'the pipe for the replay could not be made anew');
    }
  }

  /** A reader that waits in `open` when the studio ends would wait for ever: it is let in, to find the end. */
  #freeOpeners(fifo: string): void {
    const fd = openWriteEnd(fifo);
    if (fd !== undefined) closeSync(fd);
  }
}

function openWriteEnd(fifo: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(fifo, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch {
    return undefined; // no reader; anything else shows when the FIFO is renewed
  }
  if (fstatSync(fd).isFIFO()) return fd;
  closeSync(fd);
  return undefined;
}
