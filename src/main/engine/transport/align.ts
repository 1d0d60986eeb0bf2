import { SYNC_BYTE, TS_PACKET_BYTES } from './packet.ts';

/** Bytes needed to believe in a new alignment: three sync bytes, one packet apart (after ISO/IEC 13818-1 Annex G.1). */
const LOCK_BYTES = 2 * TS_PACKET_BYTES + 1;

/** A run of whole packets: `count` of them from `from` on in `buf`, which is only valid during the call. */
export type PacketRun = (buf: Uint8Array, from: number, count: number) => void;

/**
 * Finds the 188-byte packets in a byte stream cut anywhere. A stream is taken to begin with a packet; where a sync byte is missing
 * the aligner searches for three in a row. What it accepts depends on the bytes alone, not on how they were cut into chunks.
 * Holds at most 376 bytes back.
 */
export class PacketAligner {
  readonly #run: PacketRun;
  readonly #carry = new Uint8Array(LOCK_BYTES);
  #carried = 0;
  #locked = true;
  #resyncs = 0;
  #dropped = 0;

  constructor(run: PacketRun) {
    this.#run = run;
  }

  /** Times the alignment was lost. */
  get resyncs(): number {
    return this.#resyncs;
  }

  /** Bytes thrown away because they belonged to no packet. */
  get droppedBytes(): number {
    return this.#dropped;
  }

  /** Bytes held back, waiting for the rest of a packet. */
  get pendingBytes(): number {
    return this.#carried;
  }

  /** Forgets what is held back (counted as dropped): the next bytes begin a new stream. */
  reset(): void {
    this.#dropped += this.#carried;
    this.#carried = 0;
    this.#locked = true;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length || this.#carried > 0) {
      if (this.#carried > 0) {
        const next = this.#throughCarry(chunk, at);
        if (next < 0) return;
        at = next;
      } else if (this.#locked) at = this.#lockedRun(chunk, at);
      else at = this.#search(chunk, at);
    }
  }

  /** Works on the bytes held back, filled up from the chunk. Answers the position reached, or -1 when the chunk is used up. */
  #throughCarry(chunk: Uint8Array, from: number): number {
    const carry = this.#carry;
    const need = this.#locked ? TS_PACKET_BYTES : LOCK_BYTES;
    let at = from;
    if (this.#carried < need) {
      const take = Math.min(need - this.#carried, chunk.length - at);
      carry.set(chunk.subarray(at, at + take), this.#carried);
      at += take;
      this.#carried += take;
      if (this.#carried < need) return -1;
    }
    if (this.#locked) {
      if (carry[0] === SYNC_BYTE) {
        this.#run(carry, 0, 1);
        this.#shift(TS_PACKET_BYTES);
      } else this.#lose();
    } else if (
      carry[0] === SYNC_BYTE &&
      carry[TS_PACKET_BYTES] === SYNC_BYTE &&
      carry[2 * TS_PACKET_BYTES] === SYNC_BYTE
    ) {
      this.#locked = true;
    } else {
      const next = carry.indexOf(SYNC_BYTE, 1);
      const skip = next < 0 ? this.#carried : Math.min(next, this.#carried);
      this.#dropped += skip;
      this.#shift(skip);
    }
    // Once all of it came from this chunk there is no need to go through the small buffer.
    if (this.#carried > 0 && this.#carried <= at) {
      at -= this.#carried;
      this.#carried = 0;
    }
    return at;
  }

  #lockedRun(chunk: Uint8Array, from: number): number {
    let at = from;
    let count = 0;
    while (at + TS_PACKET_BYTES <= chunk.length && chunk[at] === SYNC_BYTE) {
      at += TS_PACKET_BYTES;
      count += 1;
    }
    if (count > 0) this.#run(chunk, from, count);
    if (at < chunk.length) {
      if (chunk[at] !== SYNC_BYTE) this.#lose();
      else at = this.#keep(chunk, at);
    }
    return at;
  }

  #search(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at + LOCK_BYTES <= chunk.length) {
      const found = chunk.indexOf(SYNC_BYTE, at);
      if (found < 0 || found + LOCK_BYTES > chunk.length) {
        const stop = found < 0 ? chunk.length : found;
        this.#dropped += stop - at;
        at = stop;
        break;
      }
      this.#dropped += found - at;
      at = found;
      if (chunk[at + TS_PACKET_BYTES] === SYNC_BYTE && chunk[at + 2 * TS_PACKET_BYTES] === SYNC_BYTE) {
        this.#locked = true;
        return at;
      }
      this.#dropped += 1;
      at += 1;
    }
    return this.#keep(chunk, at);
  }

  #keep(chunk: Uint8Array, from: number): number {
    const rest = chunk.subarray(from);
    this.#carry.set(rest, 0);
    this.#carried = rest.length;
    return chunk.length;
  }

  #shift(bytes: number): void {
    this.#carry.copyWithin(0, bytes, this.#carried);
    // A listener may have reset the aligner meanwhile.
    this.#carried = Math.max(0, this.#carried - bytes);
  }

  #lose(): void {
    this.#locked = false;
    this.#resyncs += 1;
  }
}
