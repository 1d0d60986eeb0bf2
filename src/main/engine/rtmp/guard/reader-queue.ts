import { LIMITS } from './limits.ts';

/** A message as readers get it. `setup` is what a decoder cannot do without: it is never left out. */
export type Outgoing = {
  bytes: Buffer;
  role: 'keyframe' | 'delta' | 'setup';
  /** which of the setups it replaces */
  slot?: string;
  /** readers' time, ms */
  time: number;
};

export type Sink = {
  /** false when the socket holds enough for now */
  write(bytes: Buffer): void;
  /** bytes handed over and not yet taken by the system */
  readonly pending: number;
};

/**
 * What waits for one reader. As long as it keeps up everything goes straight to its socket. One that does not loses what is older than
 * the newest waiting keyframe, or everything up to the next one: whole GOPs, so that its decoder never sees a hole.
 */
export class ReaderQueue {
  readonly #sink: Sink;
  #waiting: Outgoing[] = [];
  #bytes = 0;
  #needsKeyframe = true;
  /** GOPs it was not sent, or not to their end */
  skipped = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(message: Outgoing): void {
    if (this.#needsKeyframe && message.role !== 'setup') {
      if (message.role === 'delta') return;
      this.#needsKeyframe = false;
    }
    this.#waiting.push(message);
    this.#bytes += message.bytes.length;
    this.pump();
    const oldest = this.#waiting[0];
    const late = oldest && message.time - oldest.time > LIMITS.queueSeconds * 1000;
    if (this.#bytes > LIMITS.queueBytes || late === true) this.#shed();
  }

  /** Hands over what the socket takes; call it when it took something. */
  pump(): void {
    let sent = 0;
    for (const { bytes } of this.#waiting) {
      if (this.#sink.pending > LIMITS.inFlightBytes) break;
      this.#sink.write(bytes);
      this.#bytes -= bytes.length;
      sent += 1;
    }
    if (sent > 0) this.#waiting.splice(0, sent);
  }

  #shed(): void {
    this.skipped += 1;
    const newest = this.#waiting.findLastIndex(({ role }) => role === 'keyframe');
    const setups = new Map<string, Outgoing>();
    const cut = newest > 0 && this.#bytesFrom(newest) <= LIMITS.queueBytes / 2 ? newest : this.#waiting.length;
    for (const message of this.#waiting.slice(0, cut))
      if (message.role === 'setup') setups.set(message.slot ?? '', message);
    this.#waiting = [...setups.values(), ...this.#waiting.slice(cut)];
    this.#bytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (cut !== newest) this.#needsKeyframe = true;
  }

  #bytesFrom(index: number): number {
    return this.#waiting.slice(index).reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}
