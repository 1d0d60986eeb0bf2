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
  /** of a reader: what waits in our own queue, and what is handed to the socket beyond what it takes at once */
  queueBytes: 8 * 1024 * 1024,
  inFlightBytes: 512 * 1024,
  /** media seconds that may wait before whole GOPs are left out */
  queueSeconds: 3,
  /** pictures since the last keyframe, for readers that join */
  gopBytes: 12 * 1024 * 1024,
} as const;

/** A connection broke the protocol or a limit: it is closed, the reason is logged, nobody else notices. */
export class RtmpViolation extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'RtmpViolation';
  }
}
