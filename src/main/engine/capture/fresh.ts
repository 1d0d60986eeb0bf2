/** An answer that is kept for a little while, so that a picker that refreshes and a game that is waited for do not ask twice. */
export class Fresh<T, A = undefined> {
  readonly #ms: number;
  readonly #ask: (about: A) => Promise<T>;
  #kept: { at: number; answer: Promise<T> } | undefined;

  constructor(ms: number, ask: (about: A) => Promise<T>) {
    this.#ms = ms;
    this.#ask = ask;
  }

  /** Rejects as the question does, and asks again the next time. */
  async get(about: A): Promise<T> {
    const kept = this.#kept;
    if (kept && performance.now() - kept.at < this.#ms) return kept.answer;
    const answer = this.#ask(about);
    this.#kept = { at: performance.now(), answer };
    answer.catch(() => {
      if (this.#kept?.answer === answer) this.#kept = undefined;
    });
    return answer;
  }
}
