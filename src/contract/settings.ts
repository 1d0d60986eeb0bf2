import { z } from 'zod';
import { FrameRate } from './capture.ts';
import { StreamKey } from './rtmp.ts';

/** Electron's accelerator grammar, the part we accept: modifiers joined by `+`, then one key. Empty switches the hotkey off. */
export const Accelerator = z
  .string()
  .max(64)
  .regex(
    /^$|^((Control|Ctrl|Alt|Shift|Super)\+){0,4}(F([1-9]|1[0-9]|2[0-4])|[A-Z0-9]|Space|Tab|Insert|Delete|Home|End|PageUp|PageDown|Up|Down|Left|Right|PrintScreen|Pause|ScrollLock|num[0-9])$/,
    'a key such as F9 or Control+Shift+R',
  );

export const PictureSize = z.enum(['source', '1080p', '720p', '480p']);
export type PictureSize = z.infer<typeof PictureSize>;

/** Everything a user can set. Bounds are validated here, once, for the file, the flags and the UI. */
export const Settings = z.object({
  version: z.literal(1),
  fps: FrameRate,
  /** the encoded picture is at most this tall; never enlarged */
  pictureSize: PictureSize,
  /** bound of the memory buffer, seconds */
  replaySeconds: z.number().min(5).max(7200),
  /** bound of the memory buffer, MiB */
  replayMegabytes: z.int().min(16).max(65_536),
  /** what the Save button and the hotkey save, seconds */
  saveSeconds: z.number().min(1).max(7200),
  saveHotkey: Accelerator,
  streamKey: StreamKey,
  lastSource: z.string().max(512).nullable(),
});
export type Settings = z.infer<typeof Settings>;

export const SettingsPatch = Settings.omit({ version: true, lastSource: true }).partial().strict();
export type SettingsPatch = z.infer<typeof SettingsPatch>;

export const DEFAULT_SETTINGS: Settings = {
  version: 1,
  fps: 30,
  pictureSize: '1080p',
  replaySeconds: 120,
  replayMegabytes: 512,
  saveSeconds: 60,
  saveHotkey: 'F9',
  streamKey: 'test',
  lastSource: null,
};
