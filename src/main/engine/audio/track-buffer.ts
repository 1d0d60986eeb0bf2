import { SAMPLE_RATE } from './plan.ts';

const CHANNELS = 2;

type Piece = { start: number; samples: Int16Array };

/** Stereo sound on a timeline of frames. What nothing was placed on is silent; what was read is forgotten. */
export class TrackBuffer {
  #pieces: Piece[] = [];
  #end = 0;

  /** the frame after the last one placed */
  get end(): number {
    return this.#end;
  }

  /** Nothing before `frame` is wanted any more. */
  skipTo(frame: number): void {
    this.#end = Math.max(this.#end, frame);
  }

  /** Places interleaved samples so that their first is frame `start`; what overlaps earlier ones is dropped. */
  place(samples: Int16Array, start: number): void {
    const overlap = Math.max(0, this.#end - start);
    const kept = samples.subarray(overlap * CHANNELS);
    if (kept.length === 0) return;
    this.#pieces.push({ start: start + overlap, samples: kept });
    this.#end = start + overlap + kept.length / CHANNELS;
  }

  /** The frames from `from` up to `to`, which has to grow from call to call. */
  read(from: number, to: number): Int16Array {
    const out = new Int16Array(Math.max(0, to - from) * CHANNELS);
    this.#pieces = this.#pieces.filter(({ start, samples }) => {
      const end = start + samples.length / CHANNELS;
      const [first, last] = [Math.max(start, from), Math.min(end, to)];
      if (last > first) {
        out.set(samples.subarray((first - start) * CHANNELS, (last - start) * CHANNELS), (first - from) * CHANNELS);
      }
      return end > to;
    });
    return out;
  }
}

/** Arrivals are looked back on for one to two of these, seconds. */
const WINDOW_SECONDS = 2;

/**
 * When a device's samples were heard, from when they arrived. They arrive late by what the system holds back and by chance, never early, so the
 * least late arrival of the last seconds tells; a device whose clock runs a little fast or slow is followed.
 */
export class ArrivalClock {
  #frames = 0;
  #windowEnd = -Infinity;
  #least = Infinity;
  #leastBefore = Infinity;

  /** `frames` more arrived at `at` seconds. The answer is when the last of them was heard, seconds. */
  push(frames: number, at: number): number {
    this.#frames += frames;
    const late = at - this.#frames / SAMPLE_RATE;
    if (at >= this.#windowEnd) {
      this.#leastBefore = this.#windowEnd === -Infinity ? Infinity : this.#least;
      this.#least = late;
      this.#windowEnd = at + WINDOW_SECONDS;
    }
    this.#least = Math.min(this.#least, late);
    return this.#frames / SAMPLE_RATE + Math.min(this.#least, this.#leastBefore);
  }
}

/** Stamps are averaged over about so many pieces; the first ones of a device are off by up to 20 ms (PulseAudio 16.1, measured). */
const STAMPS = 25;
/** Beyond this something was lost or stood still, seconds. */
const STAMP_JUMP = 0.04;

/** When a device's samples were heard, from what its system says of each piece, which is true but for some chance in both directions. */
export class StampClock {
  #frames = 0;
  #pieces = 0;
  #offset = 0;

  /** `frames` more, of which the last was heard at `at` seconds. The answer is the same, less chance. */
  push(frames: number, at: number): number {
    this.#frames += frames;
    const offset = at - this.#frames / SAMPLE_RATE;
    if (Math.abs(offset - this.#offset) > STAMP_JUMP) this.#pieces = 0;
    this.#pieces++;
    this.#offset += (offset - this.#offset) / Math.min(this.#pieces, STAMPS);
    return this.#frames / SAMPLE_RATE + this.#offset;
  }
}

/** Beyond this the sound is moved at once, frames. */
const HARD = 0.04 * SAMPLE_RATE;
/** The first second is spent on finding the least late arrival. */
const HARD_AT_FIRST = 0.003 * SAMPLE_RATE;
const FIRST_FRAMES = SAMPLE_RATE;
/** Within this the sound is in time, frames. */
const SOFT = 0.002 * SAMPLE_RATE;
/** Otherwise one frame in so many is doubled or dropped: 7 cents of pitch, for as long as it takes. */
const FRAMES_PER_STEP = 240;

/** Places what a device delivers on the timeline of a track, and keeps it there in time for as long as it flows. */
export class TrackFlow {
  readonly #buffer: TrackBuffer;
  readonly #clock: ArrivalClock | StampClock;
  readonly #shiftSeconds: number;
  #frames = 0;

  /** `clock` makes out when something was heard, and `shiftSeconds` is added to it. */
  constructor(buffer: TrackBuffer, clock: ArrivalClock | StampClock, shiftSeconds: number) {
    this.#clock = clock;
    this.#buffer = buffer;
    this.#shiftSeconds = shiftSeconds;
  }

  push(samples: Int16Array, at: number): void {
    const frames = samples.length / CHANNELS;
    const end = Math.round((this.#clock.push(frames, at) + this.#shiftSeconds) * SAMPLE_RATE);
    const late = end - (this.#buffer.end + frames);
    // moved far, everything before it is of no use to tell what is still to be moved
    if (Math.abs(late) > HARD) this.#frames = 0;
    const hard = this.#frames < FIRST_FRAMES ? HARD_AT_FIRST : HARD;
    if (this.#frames === 0 || Math.abs(late) > hard) {
      this.#buffer.place(samples, end - frames);
    } else {
      const steps = Math.abs(late) < SOFT ? 0 : Math.sign(late) * Math.ceil(frames / FRAMES_PER_STEP);
      this.#buffer.place(stretch(samples, steps), this.#buffer.end);
    }
    this.#frames += frames;
  }
}

/** The same sound, `by` frames longer (shorter when negative), by linear interpolation. */
export function stretch(samples: Int16Array, by: number): Int16Array {
  const frames = samples.length / CHANNELS;
  const length = frames + by;
  if (by === 0 || frames < 2 || length < 2) return samples;
  const out = new Int16Array(length * CHANNELS);
  for (let i = 0; i < length; i++) {
    const at = (i * (frames - 1)) / (length - 1);
    const first = Math.min(frames - 2, Math.floor(at));
    for (let channel = 0; channel < CHANNELS; channel++) {
      const a = samples[first * CHANNELS + channel] ?? 0;
      const b = samples[(first + 1) * CHANNELS + channel] ?? 0;
      out[i * CHANNELS + channel] = Math.round(a + (b - a) * (at - first));
    }
  }
  return out;
}
