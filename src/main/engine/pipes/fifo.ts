import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import net from 'node:net';

const { O_RDWR, O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;

export type FifoEvents = {
  /** bytes, only valid during the call */
  onData: (chunk: Buffer) => void;
  /** the last writer is gone */
  onEnd: () => void;
  /** the FIFO cannot be read any more */
  onLost: (error: unknown) => void;
};

/**
 * Reads a FIFO for as long as it is open, one writer after another. A reader is always there, so that no writer ever blocks in `open`
 * (OBS cannot quit while it does); libuv polls it, so no thread of its pool is taken. While nobody writes we hold the FIFO open
 * for reading and writing, else its end would be reported over and over; once bytes come that hold is given up, so that the
 * end of the last writer is seen.
 */
export class FifoReader {
  readonly #path: string;
  readonly #events: FifoEvents;
  #hold: number | undefined;
  #socket: net.Socket | undefined;

  /** Errors: what `open` says. */
  constructor(path: string, events: FifoEvents) {
    this.#path = path;
    this.#events = events;
    this.#open();
  }

  /** Writers get EPIPE from now on. */
  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    this.#letGo();
  }

  #open(): void {
    this.#hold = openSync(this.#path, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
    if (!fstatSync(this.#hold).isFIFO()) {
      this.#letGo();
      throw new Error(`${this.#path} is no FIFO`);
    }
    const socket = new net.Socket({
      fd: openSync(this.#path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW),
      readable: true,
      writable: false,
    });
    this.#socket = socket;
    socket.on('data', (chunk) => {
      if (this.#socket !== socket) return;
      this.#letGo();
      this.#events.onData(chunk);
    });
    // still open while 'end' is told: from one reader to the next there is no moment without any
    socket.once('end', () => this.#next(socket));
    socket.once('error', () => this.#next(socket));
  }

  #next(socket: net.Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    try {
      this.#open();
    } catch (error) {
      this.close();
      this.#events.onEnd();
      this.#events.onLost(error);
      return;
    } finally {
      socket.destroy();
    }
    this.#events.onEnd();
  }

  #letGo(): void {
    if (this.#hold === undefined) return;
    closeSync(this.#hold);
    this.#hold = undefined;
  }
}
