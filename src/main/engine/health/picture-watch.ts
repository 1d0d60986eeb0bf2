/** How a picture looks over time. Times are seconds of the caller's clock. */
export type PictureLook = {
  /** since when every picture has been black; `fromStart` when there was none other before */
  black: { since: number; fromStart: boolean } | null;
  /** since when the picture has not changed */
  stillSince: number | null;
};

/** Black of a source in the limited range of video is 16, and capture devices add a little. */
const BLACK_LEVEL = 18;
/** A black picture is flat: night has structure or noise even where it is this dark. */
const BLACK_SPREAD = 2;
/** A mouse pointer on a black window covers a few points. */
const BRIGHT_POINTS = 8;
/** Scaling and a camera's conversion may round differently; anything that moves changes some point by more. */
const STILL_LEVEL = 1;

/**
 * Black: all points but a pointer's are nearly 0 and nearly equal. What is merely dark (a night race, a dark menu) has points that
 * differ, by headlights, sky, lettering or the sensor's noise.
 */
export function isBlack(picture: Uint8Array): boolean {
  if (picture.length === 0) return false;
  let bright = 0;
  let low = 255;
  let high = 0;
  for (const value of picture) {
    if (value > BLACK_LEVEL) {
      bright += 1;
      if (bright > BRIGHT_POINTS) return false;
      continue;
    }
    if (value < low) low = value;
    if (value > high) high = value;
  }
  // measured from the darkest: a few points beyond the spread are a pointer's edge
  if (high - low <= BLACK_SPREAD) return true;
  for (const value of picture) if (value <= BLACK_LEVEL && value > low + BLACK_SPREAD) bright += 1;
  return bright <= BRIGHT_POINTS;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (Math.abs((a[i] ?? 0) - (b[i] ?? 0)) > STILL_LEVEL) return false;
  return true;
};

/** Looks at small grey pictures (one byte per point, 0 black to 255 white) and says whether they are black or still. Costs some 10 µs per picture; keeps one. */
export class PictureWatch {
  #anchor: Uint8Array | undefined;
  #stillSince: number | null = null;
  #blackSince: number | null = null;
  #sawOther = false;

  get look(): PictureLook {
    return {
      black: this.#blackSince === null ? null : { since: this.#blackSince, fromStart: !this.#sawOther },
      stillSince: this.#stillSince,
    };
  }

  add(at: number, picture: Uint8Array): PictureLook {
    // compared with the picture the stillness began with, so that a slow fade does not pass for still
    if (!this.#anchor || !isSame(this.#anchor, picture)) {
      this.#anchor = Uint8Array.from(picture);
      this.#stillSince = at;
    }
    if (!isBlack(picture)) {
      this.#sawOther = true;
      this.#blackSince = null;
    } else this.#blackSince ??= at;
    return this.look;
  }

  /** Another ffmpeg goes on with the same source: what was seen before is not compared, but remembered as seen. */
  interrupt(): void {
    this.#anchor = undefined;
    this.#stillSince = null;
    this.#blackSince = null;
  }
}
