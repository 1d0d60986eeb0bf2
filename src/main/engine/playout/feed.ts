import type net from 'node:net';
import { pause } from '../process/backoff.ts';
import { shiftTimes } from '../replay/splice.ts';
import { TS_PACKET_BYTES } from '../transport/packet.ts';
import { PictureTimes, earliestTime } from './pace.ts';

/** How far ahead of its time a picture is sent, so that a reader never runs dry because a timer came late. */
const LEAD_SECONDS = 0.5;
/** A reader that takes nothing for this long is cut. */
const FROZEN_MS = 10_000;

export type FeedEnd = 'played' | 'stopped' | 'gone' | 'frozen';

/**
 * Sends whole packets to a reader at the pace of their pictures, rebased so that the earliest time is zero. One piece is in flight at
 * a time; `chunks` are only asked for when the one before was taken. After `stopped` nothing is in flight unless the reader
 * takes nothing. Errors: what `chunks` throws.
 */
export async function feed(
  chunks: Iterable<Uint8Array>,
  reader: net.Socket,
  signal: AbortSignal,
  frozenMs = FROZEN_MS,
): Promise<FeedEnd> {
  const times = new PictureTimes();
  const startedAt = performance.now();
  let scratch = Buffer.alloc(0);
  let zero: number | undefined;
  for (const chunk of chunks) {
    if (chunk.length > scratch.length) scratch = Buffer.alloc(chunk.length);
    const packets = scratch.subarray(0, chunk.length);
    packets.set(chunk);
    zero ??= earliestTime(packets);
    for (let p = 0; p < packets.length; p += TS_PACKET_BYTES) shiftTimes(packets, p, -zero);
    for (let at = 0; at < packets.length;) {
      const now = (performance.now() - startedAt) / 1000;
      const { end, due } = times.reach(packets, at, now + LEAD_SECONDS);
      if (end > at) {
        const how = await write(reader, packets.subarray(at, end), frozenMs);
        if (how !== 'taken') return how;
      }
      at = end;
      if (at < packets.length) await pause(Math.max(1, (due - LEAD_SECONDS - now) * 1000), signal);
      if (signal.aborted) return 'stopped';
    }
  }
  return 'played';
}

/** Waits until the system took all of it: only then may its memory be used again. */
async function write(reader: net.Socket, packets: Uint8Array, frozenMs: number): Promise<'taken' | 'gone' | 'frozen'> {
  if (reader.destroyed) return 'gone';
  return new Promise((resolve) => {
    const settle = (how: 'taken' | 'gone' | 'frozen'): void => {
      clearTimeout(timer);
      reader.off('close', onClose);
      resolve(how);
    };
    const onClose = (): void => settle('gone');
    const timer = setTimeout(() => settle('frozen'), frozenMs);
    reader.once('close', onClose);
    reader.write(packets, (error) => {
      if (!error) settle('taken');
    });
  });
}
