import { useEffect, useState } from 'react';

export type Prepared =
  | { readonly state: 'preparing' }
  | { readonly state: 'ready' }
  | { readonly state: 'failed'; readonly message: string; readonly remedy: string };

const TOO_LATE: Prepared = {
  state: 'failed',
  message: 'The small copy of this clip took too long to make.',
  remedy: 'Open the clip in its folder with another player, such as mpv or VLC.',
};
const NOT_MADE: Prepared = {
  state: 'failed',
  message: 'The small copy of this clip could not be made.',
  remedy: 'Open the clip in its folder with another player, such as mpv or VLC.',
};

/** RFC 9457, as the studio answers errors. */
const problemOf = (body: unknown): Prepared => {
  if (typeof body !== 'object' || body === null || !('title' in body) || !('detail' in body)) return NOT_MADE;
  const { title, detail } = body;
  return typeof title === 'string' && typeof detail === 'string'
    ? { state: 'failed', message: title, remedy: detail }
    : NOT_MADE;
};

async function prepare(address: string, signal: AbortSignal): Promise<Prepared> {
  // one byte: the answer comes when the file is there, and a refusal says why
  const answer = await fetch(address, { headers: { Range: 'bytes=0-0' }, signal });
  if (answer.ok) return { state: 'ready' };
  return problemOf(await answer.json().catch(() => undefined));
}

/** Asks the studio to make `address` (undefined: nothing) and waits for it, `deadlineMs` at most. Going away takes the wish back. */
export function usePreparedPreview(address: string | undefined, deadlineMs: number): Prepared {
  const [prepared, setPrepared] = useState<Prepared>({ state: 'preparing' });
  useEffect(() => {
    if (address === undefined) return;
    const gone = new AbortController();
    let left = false;
    const timer = setTimeout(() => gone.abort(), deadlineMs);
    prepare(address, gone.signal)
      .catch(() => (gone.signal.aborted ? TOO_LATE : NOT_MADE))
      .then((answer) => {
        clearTimeout(timer);
        if (!left) setPrepared(answer);
      })
      .catch(() => undefined);
    return () => {
      left = true;
      clearTimeout(timer);
      gone.abort();
    };
  }, [address, deadlineMs]);
  return prepared;
}
