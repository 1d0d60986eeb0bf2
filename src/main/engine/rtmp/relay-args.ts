import { PROGRAM, StreamIndexer } from '../transport/indexer.ts';
import { TS_PACKET_BYTES } from '../transport/packet.ts';

/** What a stream brings as sound, as far as FLV is concerned. */
export type Sound = 'aac' | 'other' | 'none';

/** stream_type (ISO/IEC 13818-1 table 2-34, and ATSC A/52 for AC-3): AAC in ADTS; sound that has to be encoded anew. */
const AAC = 0x0f;
const OTHER_SOUND = new Set([0x03, 0x04, 0x11, 0x81, 0x87]);

/** What the program map in these whole packets says of sound; `none` without a map. */
export function soundOf(packets: Uint8Array): Sound {
  const indexer = new StreamIndexer();
  let types: number[] = [];
  for (let p = 0; p + TS_PACKET_BYTES <= packets.length && types.length === 0; p += TS_PACKET_BYTES) {
    if ((indexer.packet(packets, p, p) & PROGRAM) !== 0) indexer.adoptProgram();
    types = indexer.program?.streams.map(({ type }) => type) ?? [];
  }
  if (types.includes(AAC)) return 'aac';
  return types.some((type) => OTHER_SOUND.has(type)) ? 'other' : 'none';
}

/**
 * MPEG-TS on standard input to FLV at `url`, the video as it is. Readers open a stream without sound seconds late, so one without gets a
 * silent track: paced by `-re`, because unpaced it would run away whenever the input pauses, and not waited for beyond a second.
 */
export function relayArgs(url: string, sound: Sound): string[] {
  const silence = ['-re', '-f', 'lavfi', '-i', 'anullsrc=r=48000:cl=stereo'];
  const encode = ['-c:a', 'aac', '-b:a', '128k', '-ac', '2'];
  return [
    ...['-hide_banner', '-nostats', '-loglevel', 'warning'],
    ...['-fflags', 'nobuffer', '-analyzeduration', '1000000', '-f', 'mpegts', '-i', 'pipe:0'],
    ...(sound === 'none' ? silence : []),
    ...['-map', '0:v:0', '-map', sound === 'none' ? '1:a:0' : '0:a:0'],
    ...['-c:v', 'copy', ...(sound === 'aac' ? ['-c:a', 'copy'] : encode)],
    ...['-max_interleave_delta', '1000000', '-flvflags', 'no_duration_filesize'],
    ...(sound === 'none' ? ['-shortest'] : []),
    ...['-f', 'flv', url],
  ];
}
