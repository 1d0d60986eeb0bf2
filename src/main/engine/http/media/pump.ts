import type { ServerResponse } from 'node:http';

/** Writes a chunk and waits until the system has taken all of it, or the reader is gone: only then may its memory be used again. */
async function written(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('close', done);
      resolve();
    };
    response.once('close', done);
    response.write(chunk, done);
  });
}

/**
 * Sends chunk after chunk at the reader's pace, one in flight at a time, then ends the body. `next` answers null at the end; it is
 * asked again only when its last chunk is no longer needed. Returns also when the reader goes away, which aborts the signal `next` got.
 */
export async function pump(
  response: ServerResponse,
  next: (signal: AbortSignal) => Promise<Uint8Array | null>,
  onSent: (bytes: number) => void,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.on('error', () => gone.abort());
  if (response.destroyed) gone.abort();
  const isGone = (): boolean => gone.signal.aborted;
  while (!isGone()) {
    const chunk = await next(gone.signal);
    if (isGone()) return;
    if (!chunk) {
      response.end();
      return;
    }
    await written(response, chunk);
    if (!isGone()) onSent(chunk.length);
  }
}
