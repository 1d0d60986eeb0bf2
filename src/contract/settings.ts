import { z } from 'zod';
import { AudioSettings, DEFAULT_AUDIO } from './audio.ts';
import { FrameRate } from './capture.ts';
import { BitrateKbps, EncoderChoice, PictureQuality, PictureSize } from './encoders.ts';
import { MAX_PUSH_TARGETS, PushTarget } from './push.ts';
import { ClipFormat, VideoCodec, type SaveRequest } from './replay.ts';
import { StreamKey } from './rtmp.ts';

/** Electron's accelerator grammar, the part we accept: modifiers joined by `+`, then one key. Empty switches the hotkey off. */
export const Accelerator = z
  .string()
  .max(64)
  .regex(
    /^$|^((Control|Ctrl|Alt|Shift|Super)\+){0,4}(F([1-9]|1[0-9]|2[0-4])|[A-Z0-9]|Space|Tab|Insert|Delete|Home|End|PageUp|PageDown|Up|Down|Left|Right|PrintScreen|Pause|ScrollLock|num[0-9])$/,
    'a key such as F9 or Control+Shift+R',
  );

/** What one Save button and its hotkey do. */
export const SavePreset = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9-]{1,32}$/, 'letters, digits and dashes'),
    /** what the button says; without it, what it does */
    label: z.string().trim().max(40).optional(),
    kind: z.enum(['seconds', 'all', 'since-last-save']),
    /** for the kind `seconds` */
    seconds: z.number().min(1).max(7200).optional(),
    hotkey: Accelerator,
    format: ClipFormat,
    /** drop what was saved from the buffer afterwards */
    clear: z.boolean(),
  })
  .refine((preset) => preset.kind !== 'seconds' || preset.seconds !== undefined, {
    message: 'say how many seconds',
    path: ['seconds'],
  });
export type SavePreset = z.infer<typeof SavePreset>;

export const MAX_PRESETS = 6;

/** What pressing a preset's button or key asks for; nothing that is the default is said. */
export function saveRequestOf({ kind, seconds, format, clear }: SavePreset): SaveRequest {
  return {
    ...(kind === 'seconds' && seconds !== undefined ? { seconds } : {}),
    ...(kind === 'all' ? { from: 0 } : {}),
    ...(kind === 'since-last-save' ? { sinceLastSave: true } : {}),
    ...(format === 'mp4' ? {} : { format }),
    ...(clear ? { clear } : {}),
  };
}

/** A secret of the RTMP address, in a query: the same alphabet as a stream key. */
const SecretKey = z.string().regex(/^[A-Za-z0-9_-]{0,64}$/, 'letters, digits, _ and - only, at most 64');

const isAbsolute = (folder: string): boolean => /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(folder);

/** Everything a user can set. Bounds are validated here, once, for the file, the flags and the UI. */
export const Settings = z.object({
  version: z.literal(2),
  fps: FrameRate,
  pictureSize: PictureSize,
  codec: VideoCodec,
  encoder: EncoderChoice,
  quality: PictureQuality,
  bitrateKbps: BitrateKbps,
  audio: AudioSettings,
  /** start when a known game appears, stop when it closes */
  followGame: z.boolean(),
  /** give the capture as much priority as this user may */
  raisePriority: z.boolean(),
  /** bound of the memory buffer, seconds */
  replaySeconds: z.number().min(5).max(7200),
  /** bound of the memory buffer, MiB */
  replayMegabytes: z.int().min(16).max(65_536),
  /** the Save buttons in their order; the first gives its length to a save that names none */
  savePresets: z
    .array(SavePreset)
    .min(1)
    .max(MAX_PRESETS)
    .refine((presets) => new Set(['mark', ...presets.map(({ id }) => id)]).size === presets.length + 1, {
      message: 'every preset needs its own id, other than mark',
    }),
  markHotkey: Accelerator,
  /** where clips go when their folder cannot be written to: null for `clips` in the data folder, empty for nowhere */
  fallbackClipsFolder: z
    .string()
    .max(1024)
    .refine((folder) => folder === '' || isAbsolute(folder), { message: 'a whole path' })
    .nullable(),
  /** the memory buffer is written to the data folder as well, so that it outlives a crash */
  mirror: z.boolean(),
  streamKey: StreamKey,
  /** demanded of other programs that publish (`?key=`); empty for none */
  publishKey: SecretKey,
  /** demanded of readers (`?key=`); empty for none */
  playKey: SecretKey,
  /** changed only by `push.set` and `push.delete` */
  pushTargets: z.array(PushTarget).max(MAX_PUSH_TARGETS),
  lastSource: z.string().max(512).nullable(),
});
export type Settings = z.infer<typeof Settings>;

export const SettingsPatch = Settings.omit({ version: true, lastSource: true, pushTargets: true }).partial().strict();
export type SettingsPatch = z.infer<typeof SettingsPatch>;

export const DEFAULT_SETTINGS: Settings = {
  version: 2,
  fps: 30,
  pictureSize: '1080p',
  codec: 'h264',
  encoder: 'auto',
  quality: 'performance',
  bitrateKbps: null,
  audio: DEFAULT_AUDIO,
  followGame: false,
  raisePriority: true,
  replaySeconds: 120,
  replayMegabytes: 512,
  savePresets: [{ id: 'save', kind: 'seconds', seconds: 60, hotkey: 'F9', format: 'mp4', clear: false }],
  markHotkey: 'F7',
  fallbackClipsFolder: null,
  mirror: false,
  streamKey: 'test',
  publishKey: '',
  playKey: '',
  pushTargets: [],
  lastSource: null,
};

/** The first hotkey that two things ask for; undefined when each has its own. */
export function doubledHotkey({
  savePresets,
  markHotkey,
}: Pick<Settings, 'savePresets' | 'markHotkey'>): string | undefined {
  const keys = [...savePresets.map(({ hotkey }) => hotkey), markHotkey].filter((key) => key !== '');
  return keys.find((key, i) => keys.indexOf(key) !== i);
}
