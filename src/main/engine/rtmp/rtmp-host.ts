/**
 * The RTMP server's own process: node-media-server, RTMP only, loopback only. It may crash or run out of memory (its parser has
 * no guards, see docs/ARCHITECTURE.md); the engine starts it again and the replay ring never notices.
 *
 * Arguments: PORT (0 for any free one). Messages to the parent: `HostMessage`.
 */
import process from 'node:process';
import NodeMediaServer, { type NmsSession } from 'node-media-server';
import Context from 'node-media-server/src/core/context.js';
import logger from 'node-media-server/src/core/logger.js';
import type { RtmpPeer } from '../../../contract/rtmp.ts';
import type { HostMessage } from './messages.ts';

type ParentPort = { postMessage(message: unknown): void };

/** Electron's utilityProcess has `process.parentPort`, a forked Node child has `process.send`. */
function parentChannel(): (message: HostMessage) => void {
  const port: unknown = Reflect.get(process, 'parentPort');
  if (isParentPort(port)) return (message) => port.postMessage(message);
  return (message) => process.send?.(message);
}

const isParentPort = (value: unknown): value is ParentPort =>
  typeof value === 'object' && value !== null && 'postMessage' in value && typeof value.postMessage === 'function';

function main(): void {
  const tell = parentChannel();
  const wanted = process.argv.at(-1) ?? '0';
  const nms = new NodeMediaServer({ bind: '127.0.0.1', rtmp: { port: wanted } });
  logger.level = 'warn'; // the constructor forces "debug"

  const publishers = new Map<string, NmsSession>();
  const readers = new Map<string, NmsSession>();
  const peer = (session: NmsSession): RtmpPeer => ({
    id: session.id,
    path: session.streamPath,
    address: session.ip,
    since: session.createTime / 1000,
    own: false,
  });
  const report = (): void =>
    tell({ type: 'peers', publishers: [...publishers.values()].map(peer), readers: [...readers.values()].map(peer) });

  nms.on('postPublish', (session) => {
    const broadcast = Context.broadcasts.get(session.streamPath);
    // 0 frees the path when its publisher leaves and keeps a reconnect's timestamps as sent (measured)
    if (broadcast) broadcast.publishGraceMs = 0;
    // the event comes before the server decides whether the path is taken
    queueMicrotask(() => {
      if (broadcast?.publisher !== session) return;
      publishers.set(session.id, session);
      report();
    });
  });
  nms.on('donePublish', (session) => {
    publishers.delete(session.id);
    report();
  });
  nms.on('postPlay', (session) => {
    readers.set(session.id, session);
    report();
  });
  nms.on('donePlay', (session) => {
    readers.delete(session.id);
    report();
  });

  // not nms.run(): that would also open its document store and the servers we do not use
  nms.rtmpServer.run();
  const { tcpServer } = nms.rtmpServer;
  tcpServer.removeAllListeners('error'); // its own handler ends the process without a word
  tcpServer.on('error', (error: NodeJS.ErrnoException) => {
    tell({ type: 'listen-failed', code: error.code ?? error.message });
    setTimeout(() => process.exit(3), 200); // time for the message to leave
  });
  tcpServer.on('listening', () => {
    const address = tcpServer.address();
    if (typeof address === 'object' && address !== null) tell({ type: 'listening', port: address.port });
  });
}

for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined); // the engine decides when this ends
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
main();
