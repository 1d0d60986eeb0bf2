/** node-media-server 4.4.3 ships no types; this is the part we use (its src/ read at that version). */
declare module 'node-media-server' {
  import type { Server } from 'node:net';
  export type NmsSession = {
    id: string;
    ip: string;
    protocol: string;
    streamPath: string;
    createTime: number;
  };
  export type NmsConfig = { bind: string; rtmp: { port: string } };
  export default class NodeMediaServer {
    constructor(config: NmsConfig);
    rtmpServer: { tcpServer: Server; run(): void; stop(): void };
    on(event: 'postPublish' | 'donePublish' | 'postPlay' | 'donePlay', listener: (session: NmsSession) => void): void;
  }
}
declare module 'node-media-server/src/core/context.js' {
  const Context: { broadcasts: Map<string, { publisher: unknown; publishGraceMs: number }> };
  export default Context;
}
declare module 'node-media-server/src/core/logger.js' {
  const logger: { level: string };
  export default logger;
}
