/** Runs asynchronous intents strictly one after another, in the order they were given; a failure of one does not touch the next. */
export class IntentQueue {
  #tail: Promise<unknown> = Promise.resolve();

  async run<T>(intent: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(intent);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Resolves when everything given so far has ended. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
