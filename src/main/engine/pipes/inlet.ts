import type net from 'node:net';
import { StudioError } from '../../../contract/errors.ts';
import type { Log } from '../logging/log.ts';
import { claimFifo, claimSocketPath, discard } from './claim.ts';
import { FifoReader } from './fifo.ts';
import { OneSender, type Sender, type Sink } from './owner.ts';
import { addressesOf, type PipeAddresses, type PipePlace } from './place.ts';
import { SocketServer } from './socket-server.ts';

export type InletOptions = {
  place: PipePlace;
  name: string;
  log: Log;
  /** monotonic, seconds */
  clock: () => number;
};

/**
 * The way in for another program's bytes: a named pipe on Windows, elsewhere a FIFO and a unix socket with the same meaning. From
 * `listen` to `close` it reads without a pause, whether somebody is attached or not: a FIFO without a reader would block OBS
 * in `open` so that it cannot quit, and a missing one would make its ffmpeg output create a plain file there.
 */
export class PipeInlet {
  readonly #options: InletOptions;
  readonly #senders: OneSender;
  #fifo: FifoReader | undefined;
  #server: SocketServer | undefined;
  #listening: Promise<void> | undefined;
  #trouble: StudioError | undefined;
  #closed = false;

  constructor(options: InletOptions) {
    this.#options = options;
    this.#senders = new OneSender(options.clock);
  }

  get addresses(): PipeAddresses {
    return addressesOf(this.#options.place.place, this.#options.name);
  }

  /** What a program that sends is to be given as its URL (ffmpeg's, so OBS's too). */
  get url(): string {
    const { fifo, socket } = this.addresses;
    if (fifo === undefined) return socket;
    return this.#fifo ? fifo : `unix:${socket}`;
  }

  /** Why one of the two ways in is closed, while the other one is open. */
  get trouble(): StudioError | undefined {
    return this.#trouble;
  }

  /** See `OneSender`. */
  get refusedAt(): number | undefined {
    return this.#senders.refusedAt;
  }

  /**
   * Listens from now on; nothing when it already does, a new try after a failure. Errors: `conflict` when another studio or
   * something else is there, `folder-not-writable`, `not-supported`.
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

  attach(sink: Sink): () => void {
    return this.#senders.attach(sink);
  }

  /** Ends every connection and removes what was made. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#listening?.catch(() => undefined);
    const { fifo, socket } = this.addresses;
    // the name first: who comes now finds nothing rather than a pipe nobody reads
    if (this.#fifo && fifo !== undefined) await discard(fifo, 'fifo');
    this.#fifo?.close();
    this.#fifo = undefined;
    await this.#server?.close();
    if (this.#server && fifo !== undefined) await discard(socket, 'socket');
    this.#server = undefined;
  }

  async #listen(): Promise<void> {
    const { place, log } = this.#options;
    const { fifo, socket } = this.addresses;
    if (this.#closed) throw new StudioError('cancelled', 'Pitwall is stopping.', 'Start it again.');
    await place.open();
    const failures: unknown[] = [];
    if (fifo !== undefined && !this.#fifo) {
      await this.#openFifo(fifo).catch((error: unknown) => failures.push(error));
    }
    if (!this.#server) await this.#openServer(socket).catch((error: unknown) => failures.push(error));
    for (const failure of failures) log.warn({ err: failure }, 'a pipe could not be opened');
    const trouble = failures.length > 0 ? asStudioError(failures[0], socket) : undefined;
    if (trouble && !this.#fifo && !this.#server) throw trouble;
    this.#trouble = trouble;
  }

  async #openFifo(path: string): Promise<void> {
    await claimFifo(path);
    const sender: Sender = { refuse: () => undefined };
    this.#fifo = new FifoReader(path, {
      onData: (chunk) => this.#senders.receive(sender, chunk),
      onEnd: () => this.#senders.gone(sender),
      onLost: (error) => {
        this.#options.log.warn({ err: error }, 'the pipe was lost');
        this.#fifo = undefined;
        this.#listening = undefined;
      },
    });
  }

  async #openServer(address: string): Promise<void> {
    if (this.#options.place.place.kind === 'folder') await claimSocketPath(address);
    const senders = new WeakMap<net.Socket, Sender>();
    this.#server = await SocketServer.listen(address, {
      onData: (connection, chunk) => {
        const sender = senders.get(connection) ?? { refuse: () => connection.destroy() };
        senders.set(connection, sender);
        this.#senders.receive(sender, chunk);
      },
      onEnd: (connection) => {
        const sender = senders.get(connection);
        if (sender) this.#senders.gone(sender);
      },
    });
  }
}

function asStudioError(failure: unknown, address: string): StudioError {
  if (failure instanceof StudioError) return failure;
  const taken = failure instanceof Error && 'code' in failure && failure.code === 'EADDRINUSE';
  return new StudioError(
    'conflict',
    taken ? `Another Pitwall already listens at ${address}.` : `Nothing could be opened at ${address}.`,
    taken ? 'Use that one, or end it first.' : 'See the log for the reason, then try again.',
    { cause: failure },
  );
}
