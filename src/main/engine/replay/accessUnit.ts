import { StudioError } from '../../../contract/errors.ts';
import type { VideoCodec } from '../../../contract/replay.ts';
import type { Unit } from '../transport/indexer.ts';
import { TS_PACKET_BYTES, payloadStart, payloadUnitStarts, pidOf } from '../transport/packet.ts';
import { emptyPesHeader, readPesHeader } from '../transport/pes.ts';
import { DUPLICATE, PidState } from '../transport/pidState.ts';
import type { Epoch } from './gops.ts';
import { eachPacket } from './ranges.ts';
import type { SlabStore } from './slabs.ts';

/** One coded picture as it left the encoder, told as early as it is known to be complete. */
export interface AccessUnit {
  readonly codec: VideoCodec;
  readonly keyframe: boolean;
  /** presentation time on the epoch's unwrapped clock, microseconds */
  readonly ptsMicros: number;
  readonly epochId: number;
  /** profile_idc, constraint flags, level_idc (H.264 only) */
  readonly profile: [number, number, number] | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  /**
   * The picture in Annex B form, parameter sets in front at keyframes: a copy made now.
   * Errors: `StudioError` `range-not-held` once the ring has moved on.
   */
  copyAnnexB(): Uint8Array;
}

/** Hands access units to whoever listens. */
export class UnitFeed {
  readonly #store: SlabStore;
  readonly #onError: (cause: unknown) => void;
  readonly #listeners = new Set<(unit: AccessUnit) => void>();

  constructor(store: SlabStore, onError: (cause: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  subscribe(listener: (unit: AccessUnit) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** `end` is the offset after the unit's last packet, `held` whether its bytes are still in the ring. */
  tell(unit: Unit, end: number, epoch: Epoch, held: () => boolean): void {
    if (this.#listeners.size === 0) return;
    const start = unit.start;
    const told: AccessUnit = {
      codec: epoch.codec,
      keyframe: unit.kind === 'key',
      ptsMicros: Math.round((unit.pts * 100) / 9),
      epochId: epoch.id,
      profile: epoch.format.profile,
      width: epoch.format.width,
      height: epoch.format.height,
      copyAnnexB: () => copyElementaryStream(this.#store, epoch.program.video?.pid ?? -1, start, held() ? end : start),
    };
    for (const listener of [...this.#listeners]) {
      try {
        listener(told);
      } catch (cause) {
        this.#onError(cause);
      }
    }
  }
}

/** Takes the elementary stream of the PES packet of `pid` that begins at `start` out of its transport packets. */
function copyElementaryStream(store: SlabStore, pid: number, start: number, end: number): Uint8Array {
  const out = new Uint8Array(end - start);
  const header = emptyPesHeader();
  const state = new PidState(pid);
  let length = 0;
  let skip = 0;
  let starts = 0;
  eachPacket(store, start, end, (buf, p) => {
    if (pidOf(buf, p) !== pid) return true;
    const from = payloadStart(buf, p);
    if (from < 0 || from >= TS_PACKET_BYTES || state.follow(buf, p) === DUPLICATE) return true;
    if (payloadUnitStarts(buf, p)) {
      if (starts > 0) return false;
      starts += 1;
      readPesHeader(buf, p + from, p + TS_PACKET_BYTES, header);
      skip = header.headerLength;
    }
    const skipped = Math.min(skip, TS_PACKET_BYTES - from);
    skip -= skipped;
    const payload = buf.subarray(p + from + skipped, p + TS_PACKET_BYTES);
    out.set(payload, length);
    length += payload.length;
    return true;
  });
  if (starts === 0) {
    throw new StudioError('range-not-held', 'This picture has left the buffer.', 'Wait for the next one.');
  }
  return out.slice(0, length);
}
