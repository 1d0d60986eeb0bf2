import type { Problem, ProblemCode } from '../../../contract/index.ts';

export type CatalogEntry = {
  severity: Problem['severity'];
  /** `capture`: only while a capture runs, and over at once when it ends; `studio`: at any time */
  scope: 'capture' | 'studio';
  /** the time the facts are measured over, seconds; 0 for a state that is known at once */
  windowSeconds: number;
  /** it has to stand for so long before it is told, seconds */
  holdSeconds: number;
  /** it has to be gone for so long before it is taken back, seconds */
  clearSeconds: number;
  /** what counts, with its threshold */
  when: string;
  /** where the remedy comes from: its text, or who words it for the case at hand */
  remedy: string;
};

/** What another part knows to be over the moment it is: told and taken back at once. */
const AT_ONCE = { windowSeconds: 0, holdSeconds: 0, clearSeconds: 0 } as const;
/** Rates of a shared computer flicker around a threshold; only what stays is worth a warning. */
const RATE = { windowSeconds: 2, holdSeconds: 2, clearSeconds: 2 } as const;
const warning = { severity: 'warning' } as const;
const error = { severity: 'error' } as const;
const capture = { scope: 'capture' } as const;
const studio = { scope: 'studio' } as const;

const BY_ITS_PART = 'worded by the part that met it, for the case at hand';

/** The numbers of the thresholds below. */
export const THRESHOLDS = {
  /** a capture that has just begun is not yet too slow, seconds */
  settleSeconds: 3,
  /** share of the wanted picture rate */
  fpsShare: 0.95,
  /** media seconds per second of our own encoder */
  speed: 0.98,
  /** of another program's stream, which comes less evenly */
  senderSpeed: 0.95,
  /** share of the pictures of the last two minutes, and a number below which nobody notices */
  lostShare: 0.01,
  lostAtLeast: 5,
  /** free bytes of a folder we write to */
  diskBytes: 2e9,
  /** clips of the longest Save button at the present bitrate that must still fit */
  diskClips: 3,
  /** bytes that must stay free for everything else once the replay buffer is full */
  memoryBytes: 256 * 1024 * 1024,
  /** a picture unchanged for so long makes us ask its window whether it hangs, seconds */
  stillSeconds: 1,
  /** a picture unchanged for so long is worth a word where nobody can be asked, seconds */
  unchangedSeconds: 60,
} as const;

/**
 * The closed list of what can be wrong: after which time, above which threshold, and what then can be done. `deriveHealth` finds what
 * is the case, `SteadyProblems` applies the times, and `docs/HEALTH.md` is generated from this table.
 */
export const CATALOG: Readonly<Record<ProblemCode, CatalogEntry>> = {
  stalled: {
    ...error,
    ...capture,
    ...AT_ONCE,
    windowSeconds: 1,
    when: 'No new picture for 1 s although the capture runs.',
    remedy: 'Look at the captured window or the program that sends; a capture of our own is started again after 10 s.',
  },
  'fps-low': {
    ...warning,
    ...capture,
    ...RATE,
    when: 'New pictures per second below 95 % of the target.',
    remedy: 'Choose 30 fps or a smaller picture.',
  },
  'speed-low': {
    ...warning,
    ...capture,
    ...RATE,
    when: 'Encoding below 0.98x real time; a received stream below 0.95x.',
    remedy: 'Choose a smaller picture or 30 fps, or close programs that use the processor.',
  },
  'encoder-overloaded': {
    ...warning,
    ...capture,
    ...RATE,
    when: 'Encoding below 0.98x real time, or new pictures below 95 % of the target after pictures had to wait for the encoder.',
    remedy: "Choose a graphics card's encoder, a smaller picture or 30 fps.",
  },
  'frames-duplicated': {
    ...warning,
    ...capture,
    windowSeconds: 120,
    holdSeconds: 2,
    clearSeconds: 2,
    when: 'More than 1 % of the pictures of the last two minutes repeated, at least 6.',
    remedy: 'The source delivers too few pictures, or the computer was busy.',
  },
  'frames-dropped': {
    ...warning,
    ...capture,
    windowSeconds: 120,
    holdSeconds: 2,
    clearSeconds: 2,
    when: 'More than 1 % of the pictures of the last two minutes dropped, at least 6.',
    remedy: 'Choose a smaller picture or 30 fps.',
  },
  'picture-black': {
    ...warning,
    ...capture,
    windowSeconds: 0,
    holdSeconds: 2,
    clearSeconds: 1,
    when: 'Every picture black: all but 8 of 64 x 36 points at most 18 of 255 and within 2 of each other.',
    remedy:
      'The likely cause on this system, other for a window that never showed a picture than for one that became black.',
  },
  'picture-frozen': {
    ...warning,
    ...capture,
    windowSeconds: 1,
    holdSeconds: 0,
    clearSeconds: 0.5,
    when: 'The picture is still for 1 s and its window hangs: its process is stopped, or leaves a ping unanswered for 1.2 s. Where a window or camera cannot be asked: unchanged for 60 s. A still picture alone is no problem.',
    remedy: 'Wait if the game is loading; otherwise close and open it again.',
  },
  'no-sound': {
    ...warning,
    ...capture,
    ...AT_ONCE,
    when: 'A captured track is silent, or has no device.',
    remedy: BY_ITS_PART,
  },
  'audio-device-lost': { ...warning, ...capture, ...AT_ONCE, when: 'A sound device went away.', remedy: BY_ITS_PART },
  'device-lost': {
    ...error,
    ...studio,
    ...AT_ONCE,
    when: 'The camera, the screen or the X server being captured went away.',
    remedy: 'Plug it in again or choose another source.',
  },
  'encoder-fallback': {
    ...warning,
    ...capture,
    ...AT_ONCE,
    when: 'The chosen encoder failed and another one is in its place.',
    remedy: BY_ITS_PART,
  },
  'priority-refused': {
    ...warning,
    ...capture,
    ...RATE,
    when: 'The encoder is overloaded and this user may not raise the priority of the capture.',
    remedy: BY_ITS_PART,
  },
  'rtmp-down': { ...error, ...studio, ...AT_ONCE, when: 'The RTMP server does not run.', remedy: BY_ITS_PART },
  'rtmp-not-carried': {
    ...warning,
    ...studio,
    ...AT_ONCE,
    when: 'The live address cannot carry this stream.',
    remedy: BY_ITS_PART,
  },
  'push-failed': {
    ...warning,
    ...studio,
    windowSeconds: 0,
    holdSeconds: 2,
    clearSeconds: 2,
    when: 'A server the stream is pushed to does not take it; it is tried again by itself.',
    remedy: BY_ITS_PART,
  },
  'disk-low': {
    ...warning,
    ...studio,
    windowSeconds: 5,
    holdSeconds: 0,
    clearSeconds: 10,
    when: 'Less than 2 GB, or than 3 clips of the longest Save button at the present bitrate, free for the clips or data folder.',
    remedy: 'Delete clips or other files, or choose another folder.',
  },
  'memory-low': {
    ...warning,
    ...capture,
    windowSeconds: 5,
    holdSeconds: 5,
    clearSeconds: 10,
    when: 'Free memory less than the replay buffer will still grow by, and 256 MB for everything else.',
    remedy: 'Close other programs, or give the replay buffer less memory.',
  },
  'hotkey-unavailable': { ...warning, ...studio, ...AT_ONCE, when: 'A hotkey is not ours.', remedy: BY_ITS_PART },
  'ffmpeg-missing': { ...error, ...studio, ...AT_ONCE, when: 'No ffmpeg that runs was found.', remedy: BY_ITS_PART },
  'ring-overflow': {
    ...warning,
    ...studio,
    ...AT_ONCE,
    when: 'The pictures between two keyframes are larger than the whole replay buffer.',
    remedy: 'Give the replay buffer more memory, or let the source send keyframes more often.',
  },
  'clips-folder': {
    ...warning,
    ...studio,
    ...AT_ONCE,
    when: 'The clips folder cannot be written to.',
    remedy: BY_ITS_PART,
  },
  'settings-reset': {
    ...warning,
    ...studio,
    ...AT_ONCE,
    when: 'The settings file could not be understood.',
    remedy: 'The old file is kept beside it.',
  },
  'mirror-stopped': {
    ...warning,
    ...studio,
    ...AT_ONCE,
    when: 'The crash-safe copy of the replay buffer cannot be written.',
    remedy: BY_ITS_PART,
  },
  'mirror-slow': {
    ...warning,
    ...studio,
    ...AT_ONCE,
    when: 'The disk is too slow for the crash-safe copy.',
    remedy: 'Turn the option off, or lower the picture size.',
  },
  'preview-failed': { ...warning, ...studio, ...AT_ONCE, when: 'The preview cannot be made.', remedy: BY_ITS_PART },
  'input-waiting': {
    ...warning,
    ...studio,
    ...AT_ONCE,
    when: 'Another program is to send, and nothing that can be shown has come for a while.',
    remedy: BY_ITS_PART,
  },
  'input-unreadable': {
    ...error,
    ...studio,
    ...AT_ONCE,
    when: 'What arrives is no MPEG-TS with an H.264 or HEVC picture.',
    remedy: BY_ITS_PART,
  },
  'input-damaged': {
    ...warning,
    ...studio,
    ...AT_ONCE,
    when: 'A received stream was damaged just now.',
    remedy: BY_ITS_PART,
  },
  'input-second-sender': {
    ...warning,
    ...studio,
    ...AT_ONCE,
    when: 'A second program tried to send.',
    remedy: 'End one of the two.',
  },
};
