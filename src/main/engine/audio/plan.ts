/** One sound track of the capture. `map` is what ffmpeg's `-map` takes: `1:a`, or a label such as `[mix]` from `filters`. */
export type SoundTrack = { map: string; title: string };

/** The sound part of one capture run. The picture is input 0, so the first input here is number 1. */
export type SoundPlan = {
  /** input options and inputs */
  input: readonly string[];
  /** parts of a `-filter_complex`, without the `;` between them; empty when the tracks are mapped as they come */
  filters: readonly string[];
  /** in their order in the stream; the first is the one RTMP carries, which has room for one */
  tracks: readonly [SoundTrack, ...SoundTrack[]];
  /** codec arguments of all tracks */
  encoder: readonly string[];
  /** the filters print levels to file descriptor 5 (`pipe\:5`), which is opened only then */
  levels: boolean;
};

export const AAC = ['-c:a', 'aac', '-b:a', '128k', '-ac', '2'] as const;

/** A silent stereo track: without one, readers of the RTMP stream open 4.8 s later (measured). */
export const SILENCE: SoundPlan = {
  input: ['-f', 'lavfi', '-i', 'anullsrc=r=48000:cl=stereo'],
  filters: [],
  tracks: [{ map: '1:a', title: '' }],
  encoder: AAC,
  levels: false,
};

/** A quiet 440 Hz tone that beeps every second, paced like the picture. */
export const TEST_TONE: SoundPlan = {
  ...SILENCE,
  input: ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:beep_factor=2:sample_rate=48000'],
};
