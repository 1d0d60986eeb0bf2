import { SAMPLE_RATE } from './plan.ts';

export type Level = { rmsDb: number; peakDb: number };

/** Levels are measured over this many frames: four a second. */
const FRAMES = SAMPLE_RATE / 4;
/** At most this is digital silence: one step of 16 bits, dither at most, dBFS. */
export const SILENCE_DB = -90;
/** What silence is shown as, dBFS: the interface carries no infinities. */
const FLOOR_DB = -120;

const dB = (share: number): number => (share <= 0 ? FLOOR_DB : Math.max(FLOOR_DB, 20 * Math.log10(share)));

/** Root mean square and peak of interleaved 16-bit samples, a quarter of a second at a time. */
export class LevelMeter {
  readonly #onLevel: (level: Level) => void;
  #squares = 0;
  #peak = 0;
  #samples = 0;

  constructor(onLevel: (level: Level) => void) {
    this.#onLevel = onLevel;
  }

  push(samples: Int16Array): void {
    for (const sample of samples) {
      this.#squares += sample * sample;
      const size = sample < 0 ? -sample : sample;
      if (size > this.#peak) this.#peak = size;
    }
    this.#samples += samples.length;
    if (this.#samples < FRAMES * 2) return;
    this.#onLevel({
      rmsDb: dB(Math.sqrt(this.#squares / this.#samples) / 32768),
      peakDb: dB(this.#peak / 32768),
    });
    this.#squares = 0;
    this.#peak = 0;
    this.#samples = 0;
  }
}
