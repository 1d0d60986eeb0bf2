import { portWire } from '../../contract/wire/port.ts';
import type { Wire } from '../../contract/wire/wire.ts';
import { wsWire } from '../../contract/wire/ws.ts';

/** Opens one connection to the studio; rejects when it cannot be opened or the signal aborts. */
export type WireOpener = (signal: AbortSignal) => Promise<Wire>;

/** The browser's way: one WebSocket at `/rpc` of the page's own host. */
export function webSocketWires(location: { protocol: string; host: string }): WireOpener {
  const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/rpc`;
  return (signal) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      const fail = (): void => {
        socket.close();
        reject(new Error('the WebSocket could not be opened'));
      };
      signal.addEventListener('abort', fail, { once: true });
      socket.addEventListener('error', fail, { once: true });
      socket.addEventListener(
        'open',
        () => {
          signal.removeEventListener('abort', fail);
          socket.removeEventListener('error', fail);
          resolve(wsWire(socket));
        },
        { once: true },
      );
    });
}

/** The desktop's way: the preload posts a port whenever the main process hands one over. */
export function desktopWires(page: Window): WireOpener {
  let arrived: MessagePort | undefined;
  let take: ((port: MessagePort) => void) | undefined;
  page.addEventListener('message', (event) => {
    if (event.source !== page || event.data !== 'pitwall:port') return;
    const port = event.ports[0];
    if (!port) return;
    if (take) take(port);
    else arrived = port;
  });
  return (signal) =>
    new Promise((resolve, reject) => {
      const giveUp = (): void => {
        take = undefined;
        reject(new Error('no port arrived'));
      };
      take = (port) => {
        take = undefined;
        arrived = undefined;
        signal.removeEventListener('abort', giveUp);
        resolve(portWire(port));
      };
      signal.addEventListener('abort', giveUp, { once: true });
      if (arrived) take(arrived);
    });
}
