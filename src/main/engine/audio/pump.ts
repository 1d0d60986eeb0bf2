import type { Writable } from 'node:stream';
import type { AudioRole } from '../../../contract/index.ts';
import { LevelMeter, type Level } from './levels.ts';
import { SAMPLE_RATE } from './plan.ts';
import { ArrivalClock, StampClock, TrackBuffer, TrackFlow } from './track-buffer.ts';

const TICK_MS = 20;
/** Silence is written so far ahead of the present that no late event loop makes the picture wait for it, seconds. */
const AHEAD_SECONDS = 0.1;
/** A device that delivered nothing for so long is heard as silence, seconds: pictures wait that long at most. */
const STALL_SECONDS = 0.15;
/** What the system keeps back of what it heard, at least, seconds (a fragment of 10 ms, and the way through two pipes). */
const DELIVERY_SECONDS = 0.005;
/** What a system says of its samples is believed so far, seconds: the picture waits for sound that was heard before now. */
const MOST_OFF = 0.25;
/** ffmpeg that takes nothing for so long is killed by the session; nothing more is kept for it. */
const MOST_BYTES = 8 * 1024 * 1024;

type Track = { role: AudioRole; buffer: TrackBuffer; flow: TrackFlow | undefined; heardAt: number; meter: LevelMeter };

export type PumpOptions = {
  roles: readonly AudioRole[];
  out: Writable;
  /** seconds since the first frame */
  clock: () => number;
  /** added to the sound's times, seconds */
  offsetSeconds: number;
  onLevel: (role: AudioRole, level: Level) => void;
};

/**
 * Writes the captured tracks to ffmpeg as one stream that never stops: where a device delivers nothing there is silence, so neither its
 * absence nor its return is ever felt by the picture. Two tracks have their sum in front of them.
 */
export class SoundPump {
  readonly #options: PumpOptions;
  readonly #tracks: readonly Track[];
  readonly #timer: NodeJS.Timeout;
  #written = 0;
  #tickedAt: number;

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#tickedAt = options.clock();
    this.#tracks = options.roles.map((role) => ({
      role,
      buffer: new TrackBuffer(),
      flow: undefined,
      heardAt: 0,
      meter: new LevelMeter((level) => options.onLevel(role, level)),
    }));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    options.out.on('error', () => this.stop()).on('close', () => this.stop());
    this.#write();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A device delivered interleaved stereo samples; its system says when the last of them was heard, or nothing. */
  push(role: AudioRole, samples: Int16Array, heardAt?: number): void {
    const track = this.#tracks.find((candidate) => candidate.role === role);
    if (!track) return;
    const now = this.#options.clock();
    const { offsetSeconds } = this.#options;
    track.flow ??=
      heardAt === undefined
        ? new TrackFlow(track.buffer, new ArrivalClock(), offsetSeconds - DELIVERY_SECONDS)
        : new TrackFlow(track.buffer, new StampClock(), offsetSeconds);
    track.flow.push(samples, heardAt === undefined ? now : Math.max(now - MOST_OFF, Math.min(now + MOST_OFF, heardAt)));
    track.heardAt = now;
    this.#write();
  }

  /** A device will deliver nothing more for now. */
  silence(role: AudioRole): void {
    const track = this.#tracks.find((candidate) => candidate.role === role);
    if (track) track.flow = undefined;
  }

  #tick(): void {
    const now = this.#options.clock();
    // when we were late ourselves, what devices delivered meanwhile is still to be read
    const onTime = now - this.#tickedAt < (4 * TICK_MS) / 1000;
    this.#tickedAt = now;
    for (const track of this.#tracks) {
      if (track.flow && onTime && now - track.heardAt > STALL_SECONDS) track.flow = undefined;
    }
    this.#write();
  }

  #write(): void {
    const { out, clock, offsetSeconds } = this.#options;
    const silent = Math.round((clock() + AHEAD_SECONDS + offsetSeconds) * SAMPLE_RATE);
    const to = Math.min(...this.#tracks.map(({ flow, buffer }) => (flow ? buffer.end : silent)));
    if (to <= this.#written || out.destroyed || out.writableLength > MOST_BYTES) return;
    const heard = this.#tracks.map(({ buffer, meter }) => {
      const samples = buffer.read(this.#written, to);
      buffer.skipTo(to);
      meter.push(samples);
      return samples;
    });
    this.#written = to;
    const bytes = interleave(heard);
    out.write(bytes);
  }
}

/** Pairs of channels side by side, the sum of all in front when there are several: 16 bits, little endian. */
export function interleave(tracks: readonly Int16Array[]): Buffer {
  const samples = tracks[0]?.length ?? 0;
  const pairs = tracks.length > 1 ? tracks.length + 1 : 1;
  const out = Buffer.allocUnsafe(samples * pairs * 2);
  let at = 0;
  for (let i = 0; i < samples; i += 2) {
    if (pairs > 1) {
      for (let channel = 0; channel < 2; channel++) {
        let sum = 0;
        for (const track of tracks) sum += track[i + channel] ?? 0;
        at = out.writeInt16LE(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum, at);
      }
    }
    for (const track of tracks) {
      at = out.writeInt16LE(track[i] ?? 0, at);
      at = out.writeInt16LE(track[i + 1] ?? 0, at);
    }
  }
  return out;
}
