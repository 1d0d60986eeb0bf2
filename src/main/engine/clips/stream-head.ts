import { TS_PACKET_BYTES, payloadStart, payloadUnitStarts, pidOf } from '../transport/packet.ts';
import { emptyPesHeader, readPesHeader } from '../transport/pes.ts';
import { TICKS_PER_SECOND, ticksBetween } from '../transport/timestamps.ts';

/** Where a clip is to begin, seconds after its first picture: with the last picture at or before it, or the first at or after. */
export type WantedStart = { seconds: number; pick: 'before' | 'after' };

/** Seconds between the moments at which a stretch of MPEG-TS begins, as its timestamps tell. */
export type StreamHead = {
  /** from the earliest first presentation time of any stream (ffmpeg's zero of the input) to the first picture */
  lead: number;
  /** from the earliest first decoding time (zero of a file that begins with it) to the first picture */
  leadByDts: number;
  /** from the first picture to the one the clip begins with; null when there is no such picture */
  cut: number | null;
};

/** Two times closer than this are one: ends of pictures are counted from frame intervals rounded to ticks. */
const SAME_TICKS = 0.004 * TICKS_PER_SECOND;
/** Other streams begin within a second of the first picture, or they are not waited for. */
const LOOK_TICKS = TICKS_PER_SECOND;

const isVideo = (streamId: number): boolean => (streamId & 0xf0) === 0xe0;
/** MPEG audio, and private stream 1, which carries AC-3 and others (ISO/IEC 13818-1 table 2-22). */
const isAudio = (streamId: number): boolean => (streamId & 0xe0) === 0xc0 || streamId === 0xbd;

/**
 * Reads the PES headers at the beginning of whole transport packets that start with a keyframe, as far as needed to place `wanted` on
 * a picture. Times are differences on the 33-bit circle, so a wrap within does no harm.
 */
export function readHead(chunks: Iterable<Uint8Array>, wanted: WantedStart | null): StreamHead {
  const header = emptyPesHeader();
  const first = new Map<number, { pts: number; dts: number }>();
  let videoPid = -1;
  let zero = 0;
  let best = Number.NaN;
  const target = wanted === null ? 0 : wanted.seconds * TICKS_PER_SECOND;
  const choose = (pts: number): void => {
    if (wanted?.pick === 'before' && pts >= 0 && pts <= target + SAME_TICKS && !(pts < best)) best = pts;
    if (wanted?.pick === 'after' && pts >= target - SAME_TICKS && !(pts > best)) best = pts;
  };
  // pictures still to come are not decoded before this one, and none is shown before it is decoded
  const enough = (dts: number): boolean =>
    dts > LOOK_TICKS && (wanted === null || (dts > target + SAME_TICKS && dts > best));

  scan: for (const chunk of chunks) {
    for (let p = 0; p + TS_PACKET_BYTES <= chunk.length; p += TS_PACKET_BYTES) {
      if (!payloadUnitStarts(chunk, p)) continue;
      const at = p + payloadStart(chunk, p);
      if (at < p || !readPesHeader(chunk, at, p + TS_PACKET_BYTES, header) || header.pts < 0) continue;
      const streamId = chunk[at + 3] ?? 0;
      const pid = pidOf(chunk, p);
      if (videoPid < 0 && isVideo(streamId)) {
        videoPid = pid;
        zero = header.pts;
      }
      if (!isVideo(streamId) && !isAudio(streamId)) continue;
      if (!first.has(pid)) first.set(pid, { pts: header.pts, dts: header.dts });
      if (pid !== videoPid) continue;
      choose(ticksBetween(zero, header.pts));
      if (enough(ticksBetween(zero, header.dts))) break scan;
    }
  }
  const earliest = (time: 'pts' | 'dts'): number =>
    Math.min(0, ...[...first.values()].map((stream) => ticksBetween(zero, stream[time])));
  return {
    lead: -earliest('pts') / TICKS_PER_SECOND,
    leadByDts: -earliest('dts') / TICKS_PER_SECOND,
    cut: wanted === null ? 0 : Number.isNaN(best) ? null : best / TICKS_PER_SECOND,
  };
}
