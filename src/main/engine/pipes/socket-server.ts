import { chmod } from 'node:fs/promises';
import net from 'node:net';

/** Programs that are connected at once, the one in use included; libuv keeps four instances of a Windows pipe ready (engine.md section 4). */
const MAX_CONNECTIONS = 8;

export type SocketEvents = {
  onConnection?: (connection: net.Socket) => void;
  onData: (connection: net.Socket, chunk: Buffer) => void;
  onEnd: (connection: net.Socket) => void;
};

/** Listens on a Windows pipe or a unix socket (mode 0600) and reads from everybody who connects; what is sent to them is the caller's business. */
export class SocketServer {
  readonly #server: net.Server;
  readonly #connections = new Set<net.Socket>();

  private constructor(events: SocketEvents) {
    this.#server = net.createServer((connection) => {
      this.#connections.add(connection);
      connection.on('data', (chunk) => events.onData(connection, chunk));
      connection.on('error', () => undefined); // 'close' follows
      events.onConnection?.(connection);
      connection.once('close', () => {
        this.#connections.delete(connection);
        events.onEnd(connection);
      });
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Errors: what `listen` says; EADDRINUSE on Windows means another studio. */
  static async listen(address: string, events: SocketEvents): Promise<SocketServer> {
    const self = new SocketServer(events);
    await new Promise<void>((resolve, reject) => {
      self.#server.once('error', reject);
      self.#server.listen(address, () => {
        self.#server.off('error', reject);
        resolve();
      });
    });
    self.#server.on('error', () => undefined); // a connection that could not be accepted; its writer is told by the system
    if (process.platform !== 'win32') await chmod(address, 0o600);
    return self;
  }

  /** Ends every connection; libuv removes the socket's file. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }
}
