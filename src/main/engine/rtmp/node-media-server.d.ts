/** node-media-server 4.4.3 ships no types; this is the part we use (its src/ read at that version). */
declare module 'node-media-server/src/protocol/rtmp.js' {
  /** One connection's protocol: the answers to handshake and commands. It is only ever fed what we wrote ourselves. */
  export default class Rtmp {
    onOutputCallback: (buffer: Buffer) => void;
    parserData(buffer: Buffer): string | null;
    sendStatusMessage(streamId: number, level: string, code: string, description: string): void;
    sendInvokeMessage(streamId: number, message: { cmd: string; transId: number; cmdObj: null; info: unknown }): void;
    sendStreamStatus(event: number, streamId: number): void;
    sendACK(bytes: number): void;
  }
}
declare module 'node-media-server/src/protocol/amf.js' {
  const amf: { encodeAmf0Cmd(command: Readonly<Record<string, unknown>>): Buffer };
  export default amf;
}
declare module 'node-media-server/src/core/logger.js' {
  const logger: { level: string };
  export default logger;
}
