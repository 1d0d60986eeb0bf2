import { StudioError } from '../../../contract/index.ts';
import type { Log } from '../logging/log.ts';
import type { PipePlace } from '../pipes/place.ts';
import type { Body } from '../replay/body.ts';
import type { ReplayRing } from '../replay/ring.ts';
import { feed } from './feed.ts';
import { PlayOutlet, type PlayReader } from './outlet.ts';

/** From the request until somebody must have opened the pipe. */
const READER_MS = 5000;
/** Memory a play keeps beyond the ring's own: what the ring gives up in several seconds, for the reader that comes late. */
const PINNED_BYTES = 48_000_000;

/** What is being played; times are Unix seconds. */
export type PlayAnswer = {
  seconds: number;
  from: number;
  to: number;
  /** ids of the epochs in it, oldest first */
  epochs: number[];
  /** what can be opened to read it, and which of the two was */
  pipe: { fifo?: string; socket: string; reader: 'fifo' | 'socket' };
  /** the same, finite and as fast as it is read */
  video: string;
  /** why it is less than was asked for */
  reason?: string;
};

type Play = { readonly stop: AbortController; readonly over: Promise<void> };
type Plan = Pick<PlayAnswer, 'seconds' | 'from' | 'to' | 'epochs' | 'reason'> & { body: Body };

/**
 * Feeds the replay to whoever opens the pipe, paced like a live stream. One play at a time: a new one ends the one before. The ring is
 * only read, in a window of bounded size, and never waits.
 */
export class Playout {
  readonly #ring: ReplayRing;
  readonly #log: Log;
  readonly #outlet: PlayOutlet;
  #play: Play | undefined;
  #closed = false;

  constructor(options: { ring: ReplayRing; place: PipePlace; log: Log }) {
    this.#ring = options.ring;
    this.#log = options.log;
    this.#outlet = new PlayOutlet(options.place, options.log);
  }

  /** Makes the pipes, so that a media source can wait in them. What fails is logged and tried again by `play`. */
  async start(): Promise<void> {
    await this.#outlet.listen().catch((error: unknown) => {
      this.#log.warn({ err: error }, 'there is no pipe for the replay');
    });
  }

  /**
   * Plays what is held now, or its newest `seconds`; resolves when somebody reads it. `signal`: who asked is gone. Errors:
   * `buffer-empty`; `conflict` when nobody opens the pipe within five seconds, or the pipe is another studio's; `cancelled`.
   */
  async play(request: { seconds?: number; video: string; signal: AbortSignal }): Promise<PlayAnswer> {
    await this.#outlet.listen();
    if (this.#closed) throw cancelled();
    const { body, ...plan } = planPlay(this.#ring, request.seconds);
    const before = this.#play;
    before?.stop.abort();
    const stop = new AbortController();
    const onGone = (): void => stop.abort();
    request.signal.addEventListener('abort', onGone, { once: true });
    if (request.signal.aborted) stop.abort();
    const stream = held(body);
    const opened = (async () => {
      await before?.over;
      return this.#outlet.reader(READER_MS, stop.signal);
    })();
    const play = { stop, over: this.#run(opened, stream, stop.signal) };
    this.#play = play;
    const reader = await opened;
    request.signal.removeEventListener('abort', onGone);
    if (!reader) throw stop.signal.aborted ? cancelled() : nobody(this.#outlet, request.video);
    this.#log.info({ ...plan, way: reader.way }, 'playing the replay');
    return { ...plan, pipe: { ...this.#outlet.addresses, reader: reader.way }, video: request.video };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#play?.stop.abort();
    await this.#play?.over;
    await this.#outlet.close();
  }

  /** Never rejects. */
  async #run(opened: Promise<PlayReader | null>, stream: ReturnType<typeof held>, signal: AbortSignal): Promise<void> {
    let reader: PlayReader | null = null;
    let how = 'gone';
    try {
      reader = await opened;
      if (!reader) return;
      how = await feed(stream.chunks, reader.connection, signal);
      this.#log.info({ how }, 'the play has ended');
    } catch (error) {
      // the ring moved on from what comes next: the reader was too slow
      this.#log.warn({ err: error }, 'the play was ended early');
    } finally {
      stream.release();
      if (reader) await this.#outlet.release(reader, how === 'frozen' ? 'cut' : 'end');
    }
  }
}

/** The bytes of a body. What comes first is held from now on, although it is read later: until `release`. */
function held(body: Body): { chunks: Iterable<Uint8Array>; release: () => void } {
  const inner = body.read(0, body.size, PINNED_BYTES);
  const first = inner.next();
  const chunks = function* (): Generator<Uint8Array, void, undefined> {
    if (first.done !== true) yield first.value;
    yield* inner;
  };
  return { chunks: chunks(), release: () => void inner.return() };
}

/** Errors: `buffer-empty`. */
function planPlay(ring: ReplayRing, seconds: number | undefined): Plan {
  const selection = seconds === undefined ? 'all' : { lastSeconds: seconds };
  const body = ring.body(selection);
  if (!body) {
    throw new StudioError(
      'buffer-empty',
      'Nothing is in the replay buffer yet.',
      'Start streaming, then ask for /play again.',
    );
  }
  const snapshots = ring.snapshot(selection);
  for (const snapshot of snapshots) snapshot.release();
  // the body is the newest of them that can be joined
  let [first, sum] = [snapshots.length, 0];
  while (first > 0 && sum < body.seconds - 0.001) {
    first -= 1;
    sum += snapshots[first]?.seconds ?? 0;
  }
  const joined = snapshots.slice(first);
  const reason =
    first > 0
      ? 'Only the newest part is played: what is before it has another codec or other streams and cannot be joined to it.'
      : seconds !== undefined && body.seconds < seconds
        ? `Only ${body.seconds.toFixed(1)} s are held.`
        : undefined;
  return {
    body,
    seconds: body.seconds,
    from: joined[0]?.from ?? 0,
    to: joined.at(-1)?.to ?? 0,
    epochs: joined.map(({ epoch }) => epoch),
    ...(reason === undefined ? {} : { reason }),
  };
}

const cancelled = (): StudioError =>
  new StudioError('cancelled', 'This play gave way to another one.', 'Ask for /play again when you want it.');

function nobody({ addresses: { fifo, socket } }: PlayOutlet, video: string): StudioError {
  return new StudioError(
    'conflict',
    `Nobody opened the pipe within ${READER_MS / 1000} seconds.`,
    `In OBS add a Media Source: Local File off, Input ${fifo ?? socket}, Input Format mpegts; then ask for /play again. ` +
      `Simpler: give it ${video} as its Input.`,
  );
}
