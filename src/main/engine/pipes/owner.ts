/** Somebody who sends bytes. */
export interface Sender {
  /** Its bytes are not wanted. A sender that cannot be sent away (a FIFO's) does nothing. */
  refuse(): void;
}

/** Who takes the bytes in. */
export interface Sink {
  /** A sender's bytes begin; for a sender that was there before the sink, in the middle of its stream. */
  begin(): void;
  data(chunk: Uint8Array): void;
  /** The sender of the bytes since `begin` is gone. */
  end(): void;
}

/**
 * One stream from several possible senders: who sends first owns the input until it is gone, bytes of anybody else are refused and never
 * mixed in. Without a sink bytes are read and dropped, so that no sender ever has to wait.
 */
export class OneSender {
  readonly #clock: () => number;
  #owner: Sender | undefined;
  #sink: Sink | undefined;
  #begun = false;
  #refusedAt: number | undefined;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** When bytes of a second sender were last refused, by the clock. */
  get refusedAt(): number | undefined {
    return this.#refusedAt;
  }

  /** Gives the bytes to `sink` from here on; answers the way to stop it. At most one at a time. */
  attach(sink: Sink): () => void {
    if (this.#sink) throw new Error('the pipe already has a reader');
    this.#sink = sink;
    this.#begun = false;
    return () => {
      if (this.#sink === sink) this.#sink = undefined;
    };
  }

  receive(sender: Sender, chunk: Uint8Array): void {
    this.#owner ??= sender;
    if (this.#owner !== sender) {
      this.#refusedAt = this.#clock();
      sender.refuse();
      return;
    }
    if (!this.#sink) return;
    if (!this.#begun) {
      this.#begun = true;
      this.#sink.begin();
    }
    this.#sink.data(chunk);
  }

  gone(sender: Sender): void {
    if (this.#owner !== sender) return;
    this.#owner = undefined;
    if (this.#begun) this.#sink?.end();
    this.#begun = false;
  }
}
