import { TYPE, writeMessage, type RtmpMessage } from './chunks.ts';
import { LIMITS } from './limits.ts';
import { classify, readData, type Described, type MediaKind } from './media.ts';
import { RateMeter } from './rate-meter.ts';
import type { Outgoing } from './reader-queue.ts';
import { TimeBase } from './time-base.ts';

/** Readers' chunk streams, as node-media-server numbers them. */
const CHUNK_STREAM = { audio: 4, video: 5, data: 6 } as const;
/** The one stream id of a connection: clients that play create one stream. */
const STREAM_ID = 1;

export type PathReader = {
  send(message: Outgoing): void;
  /** another publisher begins */
  restart(): void;
};

/** What is being published: known with its first messages. */
export type Publication = Described & { videoCodec?: string; audioCodec?: string };

/**
 * One address, `/live/KEY`: at most one publisher, any number of readers. Every message is put into chunks once, for all of them. A
 * reader that joins gets metadata, headers and the pictures since the newest keyframe, or nothing until there is one.
 */
export class LivePath {
  readonly #time: TimeBase;
  readonly #readers = new Set<PathReader>();
  /** metadata, headers: the latest of each, in the order readers need them */
  readonly #setups = new Map<string, { type: number; payload: Buffer }>();
  #gop: Outgoing[] = [];
  #gopBytes = 0;
  #gopWhole = false;
  #hasVideo = false;
  #publication: Publication = {};
  readonly meter: RateMeter;

  /** `now` is monotonic, ms */
  constructor(now: () => number) {
    this.#time = new TimeBase(now);
    this.meter = new RateMeter(now);
  }

  get publication(): Publication {
    return this.#publication;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** A publisher has taken the path. */
  begin(): void {
    this.#time.restart(this.#readers.size > 0);
    this.#forget();
    for (const reader of this.#readers) reader.restart();
  }

  /** It has left: nobody who joins is shown its last pictures. */
  end(): void {
    this.#forget();
  }

  #forget(): void {
    this.#setups.clear();
    this.#dropGop();
    this.#hasVideo = false;
    this.#publication = {};
    this.meter.reset();
  }

  join(reader: PathReader): void {
    this.#readers.add(reader);
    const [first] = this.#gop;
    const time = first?.time ?? this.#time.present;
    for (const [slot, { type, payload }] of this.#setups) reader.send(setup(slot, type, payload, time));
    if (this.#gopWhole) for (const message of this.#gop) reader.send(message);
  }

  leave(reader: PathReader): void {
    this.#readers.delete(reader);
  }

  /** A message of the publisher: audio, video or data. Errors: `RtmpViolation` for data that is no AMF. */
  take({ type, timestamp, payload }: RtmpMessage): void {
    this.meter.addBytes(payload.length);
    if (type === TYPE.data) {
      const data = readData(payload);
      if (!data) return;
      this.#publication = { ...this.#publication, ...data.described };
      this.#keep('metadata', TYPE.data, data.payload);
      return;
    }
    const media = classify({ type, payload });
    switch (media.kind) {
      case 'empty':
      case 'end':
        return;
      case 'audio-header':
        this.#publication = { ...this.#publication, audioCodec: media.codec };
        this.#keep(media.kind, type, payload);
        return;
      case 'video-header':
        this.#publication = { ...this.#publication, videoCodec: media.codec };
        this.#keep(media.kind, type, payload);
        // pictures of before cannot be decoded with it
        this.#dropGop();
        this.#hasVideo = true;
        return;
      case 'video-metadata':
        this.#keep(media.kind, type, payload);
        return;
      default:
        this.#deliver(media, type, timestamp, payload);
    }
  }

  #deliver(media: MediaKind, type: number, timestamp: number, payload: Buffer): void {
    const time = this.#time.place(type, timestamp);
    if (time === undefined) return;
    const keyframe = media.kind === 'video' && media.keyframe;
    if (media.kind === 'video') {
      this.meter.addPicture();
      this.#hasVideo = true;
      if (this.#publication.videoCodec === undefined)
        this.#publication = { ...this.#publication, videoCodec: media.codec };
    }
    if (media.kind === 'audio' && this.#publication.audioCodec === undefined)
      this.#publication = { ...this.#publication, audioCodec: media.codec };
    const chunkStream = type === TYPE.audio ? CHUNK_STREAM.audio : CHUNK_STREAM.video;
    const message: Outgoing = {
      bytes: writeMessage({ type, streamId: STREAM_ID, timestamp: time, payload }, chunkStream),
      // without video every sound is as good a beginning as any other
      role: keyframe || !this.#hasVideo ? 'keyframe' : 'delta',
      time,
    };
    this.#keepGop(message, keyframe);
    for (const reader of this.#readers) reader.send(message);
  }

  #keep(slot: string, type: number, payload: Buffer): void {
    const before = this.#setups.get(slot);
    if (before?.payload.equals(payload) === true) return;
    this.#setups.set(slot, { type, payload });
    const message = setup(slot, type, payload, this.#time.present);
    for (const reader of this.#readers) reader.send(message);
  }

  #keepGop(message: Outgoing, keyframe: boolean): void {
    if (keyframe) {
      this.#dropGop();
      this.#gopWhole = true;
    }
    if (!this.#gopWhole) return;
    this.#gopBytes += message.bytes.length;
    // better nothing than pictures without their keyframe
    if (this.#gopBytes > LIMITS.gopBytes) this.#dropGop();
    else this.#gop.push(message);
  }

  #dropGop(): void {
    this.#gop = [];
    this.#gopBytes = 0;
    this.#gopWhole = false;
  }
}

const setup = (slot: string, type: number, payload: Buffer, time: number): Outgoing => ({
  bytes: writeMessage(
    // ffmpeg takes metadata of any other time for a track of subtitles
    { type, streamId: STREAM_ID, timestamp: type === TYPE.data ? 0 : time, payload },
    type === TYPE.audio ? CHUNK_STREAM.audio : type === TYPE.video ? CHUNK_STREAM.video : CHUNK_STREAM.data,
  ),
  role: 'setup',
  slot,
  time,
});
