/**
 * The RTMP server's own process (see `guard/server.ts`): whatever connects to it, the engine and its replay ring are not in reach. If it
 * ends all the same the engine starts it again.
 *
 * Arguments: PORT (0 for any free one). It listens once it was told who may do what (`HostOrder`); messages to the parent: `HostMessage`.
 */
import process from 'node:process';
import logger from 'node-media-server/src/core/logger.js';
import { RtmpServer } from './guard/server.ts';
import { HostOrder, type HostMessage } from './messages.ts';

type Channel = { tell(message: HostMessage): void; onOrder(listener: (order: HostOrder) => void): void };

/** Electron's utilityProcess has `process.parentPort`, a forked Node child has `process.send`. */
function parentChannel(): Channel {
  const take =
    (listener: (order: HostOrder) => void) =>
    (raw: unknown): void => {
      const order = HostOrder.safeParse(raw);
      if (order.success) listener(order.data);
    };
  const port: unknown = Reflect.get(process, 'parentPort');
  if (isParentPort(port)) {
    return {
      tell: (message) => port.postMessage(message),
      onOrder: (listener) => port.on('message', (event) => take(listener)(event.data)),
    };
  }
  return {
    tell: (message) => process.send?.(message),
    onOrder: (listener) => void process.on('message', take(listener)),
  };
}

type ParentPort = {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
};

const isParentPort = (value: unknown): value is ParentPort =>
  typeof value === 'object' && value !== null && 'postMessage' in value && typeof value.postMessage === 'function';

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);

function main(): void {
  const channel = parentChannel();
  logger.level = 'error';
  const wanted = Number(process.argv.at(-1) ?? '0');
  const server = new RtmpServer({
    onPeers: (peers) => channel.tell({ type: 'peers', ...peers }),
    onLog: (event, fields) => channel.tell({ type: 'log', event, fields: { ...fields } }),
  });
  let listening = false;
  channel.onOrder((order) => {
    server.setAccess(order);
    if (listening) return;
    listening = true;
    server.listen(wanted).then(
      (port) => channel.tell({ type: 'listening', port }),
      (error: unknown) => {
        channel.tell({ type: 'listen-failed', code: codeOf(error) });
        setTimeout(() => process.exit(3), 200); // time for the message to leave
      },
    );
  });
}

for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined); // the engine decides when this ends
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
main();
