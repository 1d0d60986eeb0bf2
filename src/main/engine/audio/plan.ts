import type { Writable } from 'node:stream';

/** One sound track of the capture. `map` is what ffmpeg's `-map` takes, `1:a` for the sound input. */
export type SoundTrack = { map: string; title: string };

/** The sound part of one capture run. The picture is input 0, so the first input here is number 1. */
export type SoundPlan = {
  /** input options and inputs */
  input: readonly string[];
  /** in their order in the stream; the first is the one RTMP carries, which has room for one */
  tracks: readonly [SoundTrack, ...SoundTrack[]];
  /** codec arguments and filters of all tracks */
  encoder: readonly string[];
  /** set when the sound is captured: it comes in real time, and the picture has to keep the same time */
  live?: LiveSound;
};

/** Sound that comes from us while it is captured. */
export type LiveSound = {
  /** the file descriptor the input reads from */
  fd: number;
  /** the moment the sound begins at, Unix seconds; times of the stream count from it */
  startedAt: number;
  /**
   * Seconds by which the picture's decoding times run ahead of its display times. The muxer sends packets in the order of decoding
   * times, and a sound packet is ready some 65 ms after the moment it begins at (three AAC frames): without this lead every picture
   * waited for the sound of its moment, 60 ms (measured).
   */
  pictureLead: number;
  /** the child runs: takes the writing end of `fd`, and writes to it until it closes */
  feed: (out: Writable) => void;
};

const AAC = ['-c:a', 'aac', '-b:a', '128k', '-ac', '2'] as const;

/** A silent stereo track: without one, readers of the RTMP stream open 4.8 s later (measured). */
export const SILENCE: SoundPlan = {
  input: ['-f', 'lavfi', '-i', 'anullsrc=r=48000:cl=stereo'],
  tracks: [{ map: '1:a', title: '' }],
  encoder: AAC,
};

/** A quiet 440 Hz tone that beeps every second, paced like the picture. */
export const TEST_TONE: SoundPlan = {
  ...SILENCE,
  input: ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:beep_factor=2:sample_rate=48000'],
};

/** Samples per second and channel of everything we handle ourselves. */
export const SAMPLE_RATE = 48_000;
/** Times begin here: a sound packet begins one AAC frame before its samples, and no time may be negative, seconds. */
const FIRST_TIME = 0.2;
const SOUND_FD = 5;
/** Covers three AAC frames, ffmpeg's reading in packets and a late event loop, seconds (60 ms were measured). */
const LEAD_SECONDS = 0.09;

/**
 * The plan for sound that we write as interleaved 16-bit stereo pairs, one pair per track and in the order of `titles`. `offsetMs` is what is
 * added to the sound's times: sound that is moved forward is written later, so the picture's lead grows by it.
 */
export function livePlan(
  titles: readonly [string, ...string[]],
  offsetMs: number,
  startedAt: number,
  feed: LiveSound['feed'],
): SoundPlan {
  const [first, ...rest] = titles;
  const channels = 2 * titles.length;
  return {
    input: [
      ...['-itsoffset', String(FIRST_TIME), '-thread_queue_size', '512'],
      ...['-f', 's16le', '-ar', String(SAMPLE_RATE), '-ac', String(channels), '-i', `pipe:${SOUND_FD}`],
    ],
    tracks: [{ map: '1:a', title: first }, ...rest.map((title) => ({ map: '1:a', title }))],
    encoder: [
      ...(titles.length > 1
        ? titles.flatMap((_, i) => [`-filter:a:${i}`, `pan=stereo|c0=c${2 * i}|c1=c${2 * i + 1}`])
        : []),
      ...AAC,
      ...titles.flatMap((_, i) => [`-metadata:s:a:${i}`, 'language=und']),
    ],
    live: { fd: SOUND_FD, startedAt, pictureLead: LEAD_SECONDS + Math.max(0, -offsetMs) / 1000, feed },
  };
}

/** The part of ffmpeg's input options that puts a picture on the sound's clock; empty when nothing is captured to keep time with. */
export function pictureClock({ live }: SoundPlan, stampedByWall: boolean): string[] {
  if (!live) return [];
  return [
    '-copyts',
    ...(stampedByWall ? [] : ['-use_wallclock_as_timestamps', '1']),
    ...['-itsoffset', (FIRST_TIME - live.startedAt).toFixed(3)],
  ];
}

/** Output options of the picture that go with sound that is captured. */
export function pictureLead({ live }: SoundPlan): string[] {
  return live ? ['-bsf:v', `setts=dts=DTS-${live.pictureLead.toFixed(3)}/TB`] : [];
}
