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
  readonly #now: () => number;
  #waiting: (Outgoing & { readonly since: number })[] = [];
  #bytes = 0;
  #needsKeyframe = true;
  /** GOPs it was not sent, or not to their end */
  skipped = 0;

  /** `now` is monotonic, ms */
  constructor(sink: Sink, now: () => number) {
    this.#sink = sink;
    this.#now = now;
  }

  /** Bytes that wait here. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Another publisher begins: its pictures are of use from its first keyframe on. */
  restart(): void {
    this.#needsKeyframe = true;
  }

  push(message: Outgoing): void {
    if (this.#needsKeyframe && message.role !== 'setup') {
      if (message.role === 'delta') return;
      this.#needsKeyframe = false;
    }
    const since = this.#now();
    this.#waiting.push({ ...message, since });
    this.#bytes += message.bytes.length;
    this.pump();
    const oldest = this.#waiting[0];
    // by the clock, not by the times of the messages: who joins is given a whole GOP at once
    const isLate = oldest !== undefined && since - oldest.since > LIMITS.queueMs;
    if (this.#bytes + this.#sink.pending > LIMITS.queueBytes || isLate) this.#shed();
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
    const setups = new Map<string, Outgoing & { readonly since: number }>();
    const cut = newest > 0 && this.#bytesFrom(newest) <= LIMITS.queueBytes / 2 ? newest : this.#waiting.length;
    for (const message of this.#waiting.slice(0, cut))
      if (message.role === 'setup') setups.set(message.slot ?? '', { ...message, since: this.#now() });
    this.#waiting = [...setups.values(), ...this.#waiting.slice(cut)];
    this.#bytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (cut !== newest) this.#needsKeyframe = true;
  }

  #bytesFrom(index: number): number {
    return this.#waiting.slice(index).reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}
