import { ReplayRing } from '../replay/ring.ts';
import type { MirrorWriter } from './writer.ts';

/** A ring whose input a mirror may get as well, always after the ring itself. */
export class MirroredRing extends ReplayRing {
  #writer: MirrorWriter | null = null;
  #sourceName = '';

  set writer(writer: MirrorWriter | null) {
    this.#writer = writer;
    writer?.beginEpoch(this.#sourceName);
  }

  override beginEpoch(begin: { sourceName: string }): void {
    super.beginEpoch(begin);
    this.#sourceName = begin.sourceName;
    this.#writer?.beginEpoch(begin.sourceName);
  }

  override write(chunk: Uint8Array): void {
    super.write(chunk);
    this.#writer?.write(chunk);
  }

  override clear(): void {
    super.clear();
    this.#writer?.clear();
  }
}
