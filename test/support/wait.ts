const EVERY_MS = 50;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks every 50 ms until the answer is `good`, and gives it. Errors: after `ms`, with the last answer (or the last thing thrown) in
 * the message.
 */
export async function until<T>(
  what: string,
  ms: number,
  ask: () => T | Promise<T>,
  good: (answer: T) => boolean = Boolean,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    let last: string;
    try {
      const answer = await ask();
      if (good(answer)) return answer;
      last = typeof answer === 'object' ? JSON.stringify(answer) : String(answer);
    } catch (error) {
      last = String(error);
    }
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}; last: ${last.slice(0, 1500)}`);
    await pause(EVERY_MS);
  }
}

/** Gives what `work` gives. Errors: after `ms`, naming what was waited for. */
export async function within<T>(what: string, ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
