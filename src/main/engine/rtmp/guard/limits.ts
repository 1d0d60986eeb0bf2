/**
 * What a connection may ask of the RTMP server. Figures of comparable servers: nginx-rtmp 1 MiB messages and 32 chunk streams,
 * mediamtx 10 MiB messages, SRS chunk sizes from 128 to 65536.
 */
export const LIMITS = {
  sockets: 64,
  publishers: 8,
  handshakeMs: 5000,
  /** from the handshake to a publish or play */
  commandMs: 10_000,
  mediaBytes: 8 * 1024 * 1024,
  commandBytes: 64 * 1024,
  chunkBytes: { min: 128, max: 1024 * 1024 },
  chunkStreams: 16,
  amfDepth: 8,
  amfValues: 512,
  amfStringBytes: 4096,
  /** a publisher that sends nothing for this long is gone */
  publisherIdleMs: 20_000,
  pingMs: 20_000,
  /** a reader that neither takes nor sends anything for this long is gone */
  readerSilentMs: 60_000,
  /** a reader that takes nothing though there is something for it */
  readerFrozenMs: 15_000,
  /** of a reader: what waits for it, in our own queue and in its socket together (one message of mediaBytes on top makes no 16 MB) */
  queueBytes: 7 * 1024 * 1024,
  /** what is handed to the socket beyond what the system takes at once */
  inFlightBytes: 512 * 1024,
  /** how long a message may wait before whole GOPs are left out */
  queueMs: 3000,
  /** answers nobody takes */
  answerBytes: 256 * 1024,
  /** pictures since the last keyframe, for readers that join: they fit into a reader's queue */
  gopBytes: 6 * 1024 * 1024,
  /** a publisher whose time goes back by more than this begins anew */
  backMs: 1000,
  /** lines about connections, in ten seconds: a scan of the port must not fill the disk */
  logLines: 60,
} as const;

/** A connection broke the protocol or a limit: it is closed, the reason is logged, nobody else notices. */
export class RtmpViolation extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'RtmpViolation';
  }
}
