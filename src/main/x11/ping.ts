import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import x11 from 'x11';
import type { XEvent } from 'x11';
import type { X11Connection } from './connection.ts';
import { getNumbers, getText } from './properties.ts';

/** `unknown`: nobody can be asked, so nothing follows from it. */
export type Responds = 'yes' | 'no' | 'unknown';

/** How long a window may take to answer. A program that draws 30 pictures per second answers within one of them. */
const PING_MS = 1200;

/** Process states of proc(5) in which a program cannot do anything: stopped by a signal, stopped by a debugger, dead. */
const STOPPED = new Set(['T', 't', 'Z', 'X', 'x']);

/**
 * Whether the program behind a window still reacts. Asked in this order: the state of its process (`_NET_WM_PID`, on this machine
 * only), then `_NET_WM_PING` (Extended Window Manager Hints 1.5) where the window takes part in that protocol. A program that is busy
 * for longer than 1.2 s without looking at its messages (loading, say) counts as not reacting.
 *
 * The ping goes to the window as a window manager's would and comes back to the root. Its timestamp is a small number: it cannot be
 * mistaken for the window manager's own ping, which carries the server's time, and no toolkit takes it for the present time.
 * Errors: `X11Error` `no-window`, `lost`, `timeout`, `closed`.
 */
export class WindowPings {
  readonly #connection: X11Connection;
  #next = 0;

  constructor(connection: X11Connection) {
    this.#connection = connection;
  }

  async responds(id: number, signal: AbortSignal): Promise<Responds> {
    const connection = this.#connection;
    const [pid] = await getNumbers(connection, id, '_NET_WM_PID');
    const machine = await getText(connection, id, 'WM_CLIENT_MACHINE');
    const local = machine === undefined || machine === hostname();
    if (pid !== undefined && local && (await isStopped(pid))) return 'no';
    const [protocols, protocol, ping] = await Promise.all([
      getNumbers(connection, id, 'WM_PROTOCOLS'),
      connection.atom('WM_PROTOCOLS'),
      connection.atom('_NET_WM_PING'),
    ]);
    if (!protocols.includes(ping) || signal.aborted) return 'unknown';
    return this.#ping(id, protocol, ping, signal);
  }

  async #ping(id: number, protocol: number, ping: number, signal: AbortSignal): Promise<Responds> {
    const connection = this.#connection;
    const stamp = (this.#next = (this.#next % 1000) + 1);
    let settle: (answer: Responds) => void = () => undefined;
    const answer = new Promise<Responds>((resolve) => {
      settle = resolve;
    });
    const onEvent = (event: XEvent): void => {
      if (event.name !== 'ClientMessage' || event.message_type !== protocol) return;
      const [what, when, window] = event.data;
      if (what === ping && when === stamp && window === id) settle('yes');
    };
    const onAbort = (): void => settle('unknown');
    const stopLost = connection.onLost(onAbort);
    const stopListening = connection.onEvent(onEvent);
    signal.addEventListener('abort', onAbort, { once: true });
    const release = await connection.select(connection.root, x11.eventMask.SubstructureNotify);
    const timer = setTimeout(() => settle('no'), PING_MS);
    try {
      await connection.checked(() =>
        connection.client.SendEvent(id, 0, 0, clientMessage(id, protocol, [ping, stamp, id, 0, 0])),
      );
      return await answer;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      stopListening();
      stopLost();
      await release();
    }
  }
}

/** A ClientMessage of format 32 as it travels (X11 protocol, "ClientMessage" in the encoding appendix). */
function clientMessage(window: number, type: number, data: readonly number[]): Buffer {
  const event = Buffer.alloc(32);
  event.writeUInt8(33, 0);
  event.writeUInt8(32, 1);
  event.writeUInt32LE(window, 4);
  event.writeUInt32LE(type, 8);
  data.forEach((value, i) => event.writeUInt32LE(value, 12 + i * 4));
  return event;
}

/** The state is the first field behind the name, which may itself hold blanks and brackets. Where there is no /proc: false. */
async function isStopped(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return STOPPED.has(text.slice(text.lastIndexOf(')') + 2).charAt(0));
}
