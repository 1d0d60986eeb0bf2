/**
 * Reads bits of a NAL unit, most significant first, leaving out emulation prevention bytes (Rec. ITU-T H.264 section 7.4.1).
 * Past the end it answers zeros and sets `exhausted`, so that a parser needs one check at its end.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #bit = 0;
  #zeros = 0;
  exhausted = false;

  constructor(bytes: Uint8Array, from = 0) {
    this.#bytes = bytes;
    this.#at = from;
  }

  bit(): number {
    if (this.#bit === 0 && this.#zeros >= 2 && this.#bytes[this.#at] === 3) {
      this.#at += 1;
      this.#zeros = 0;
    }
    const byte = this.#bytes[this.#at];
    if (byte === undefined) {
      this.exhausted = true;
      return 0;
    }
    const value = (byte >> (7 - this.#bit)) & 1;
    this.#bit += 1;
    if (this.#bit === 8) {
      this.#bit = 0;
      this.#at += 1;
      this.#zeros = byte === 0 ? this.#zeros + 1 : 0;
    }
    return value;
  }

  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i += 1) value = value * 2 + this.bit();
    return value;
  }

  skip(count: number): void {
    for (let i = 0; i < count; i += 1) this.bit();
  }

  /** Unsigned Exp-Golomb code, H.264 section 9.1; at most 32 leading zeros. */
  ue(): number {
    let zeros = 0;
    while (zeros < 32 && !this.exhausted && this.bit() === 0) zeros += 1;
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Signed Exp-Golomb code, H.264 section 9.1.1. */
  se(): number {
    const code = this.ue();
    return code % 2 === 0 ? -code / 2 : (code + 1) / 2;
  }
}
