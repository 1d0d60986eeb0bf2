/** AMF0 (Adobe AMF 0 specification, 2007), reading only, bounded in depth, number of values and string length. */
import { LIMITS, RtmpViolation } from './limits.ts';

export type AmfValue = number | boolean | string | null | undefined | AmfValue[] | AmfObject;
/** A Map, so that no name can reach a prototype. */
export type AmfObject = Map<string, AmfValue>;

class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #values = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(depth = 0): AmfValue {
    if (depth > LIMITS.amfDepth) throw new RtmpViolation('AMF nested too deep');
    if (++this.#values > LIMITS.amfValues) throw new RtmpViolation('too many AMF values');
    const marker = this.#byte();
    switch (marker) {
      case 0x00:
        return this.#need(8).readDoubleBE();
      case 0x01:
        return this.#byte() !== 0;
      case 0x02:
        return this.#string(this.#need(2).readUInt16BE());
      case 0x03:
        return this.#object(depth);
      case 0x05:
        return null;
      case 0x06:
        return undefined;
      case 0x08:
        this.#need(4); // the announced number is only a hint
        return this.#object(depth);
      case 0x0a: {
        const count = this.#need(4).readUInt32BE();
        const values: AmfValue[] = [];
        for (let i = 0; i < count; i++) values.push(this.value(depth + 1));
        return values;
      }
      case 0x0b: {
        const time = this.#need(10).readDoubleBE();
        return time;
      }
      case 0x0c:
        return this.#string(this.#need(4).readUInt32BE());
      case 0x10:
        this.#string(this.#need(2).readUInt16BE());
        return this.#object(depth);
      default:
        throw new RtmpViolation(`AMF type ${marker}`);
    }
  }

  #object(depth: number): AmfObject {
    const object: AmfObject = new Map();
    for (;;) {
      const name = this.#string(this.#need(2).readUInt16BE());
      if (name === '' && this.#bytes[this.#at] === 0x09) {
        this.#at += 1;
        return object;
      }
      object.set(name, this.value(depth + 1));
    }
  }

  #string(length: number): string {
    if (length > LIMITS.amfStringBytes) throw new RtmpViolation('an AMF string too long');
    return this.#need(length).toString('utf8');
  }

  #byte(): number {
    return this.#need(1).readUInt8();
  }

  #need(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw new RtmpViolation('AMF ends too early');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}

/** All values of a message. Errors: `RtmpViolation` when they are cut short, nested too deep, too many or of unknown type. */
export function readAmf0(bytes: Buffer): AmfValue[] {
  const reader = new Reader(bytes);
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.value());
  return values;
}
