import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { StudioError } from '../../../contract/index.ts';
import { StreamIndexer, PROGRAM, UNIT_BEGINS } from '../transport/indexer.ts';
import { TS_PACKET_BYTES } from '../transport/packet.ts';
import { TICKS_PER_SECOND } from '../transport/timestamps.ts';

/** Hashing this much keeps the event loop for about a millisecond. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Writes the bytes as they are, hashing each piece while it is being written. The file must not exist.
 * Errors: the file system's; `cancelled` by the signal; what `chunks` throws.
 */
export async function writeTransport(
  chunks: Iterable<Uint8Array>,
  file: string,
  { signal, onBytes }: { signal: AbortSignal; onBytes: (total: number) => void },
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  const handle = await open(file, 'w');
  let bytes = 0;
  try {
    for (const chunk of chunks) {
      for (let from = 0; from < chunk.length; from += PIECE_BYTES) {
        if (signal.aborted) throw new StudioError('cancelled', 'The save was cancelled.', 'The replay is kept.');
        const piece = chunk.subarray(from, from + PIECE_BYTES);
        const writing = writeAll(handle, piece);
        hash.update(piece);
        await writing;
        bytes += piece.length;
        onBytes(bytes);
      }
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length;) done += (await handle.write(piece, done)).bytesWritten;
}

/** What the packets of a written file say, read back without ffprobe. Errors: the file system's. */
export async function checkTransport(
  file: string,
): Promise<{ sha256: string; bytes: number; seconds: number; startsWithKeyframe: boolean }> {
  const hash = createHash('sha256');
  const indexer = new StreamIndexer();
  const handle = await open(file, 'r');
  const buffer = Buffer.alloc(TS_PACKET_BYTES * 4096);
  let [bytes, first, last, startsWithKeyframe] = [0, Number.NaN, Number.NaN, false];
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, bytes);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      for (let p = 0; p + TS_PACKET_BYTES <= bytesRead; p += TS_PACKET_BYTES) {
        const facts = indexer.packet(buffer, p, bytes + p);
        if (facts & PROGRAM) indexer.adoptProgram();
        const unit = indexer.current;
        if (!unit) continue;
        if (facts & UNIT_BEGINS) {
          if (Number.isNaN(first)) first = unit.pts;
          last = Math.max(Number.isNaN(last) ? unit.pts : last, unit.pts);
        }
        if (unit.pts === first && unit.kind === 'key') startsWithKeyframe = true;
      }
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
  const ticks = Number.isNaN(first) ? 0 : last - first + indexer.frameTicks;
  return { sha256: hash.digest('hex'), bytes, seconds: ticks / TICKS_PER_SECOND, startsWithKeyframe };
}
