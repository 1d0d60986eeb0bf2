import { z } from 'zod';
import { DEFAULT_SETTINGS } from '../../../contract/index.ts';

const AnyObject = z.record(z.string(), z.unknown());

/**
 * The values of a settings file in the terms of the present version, and the version it had. Values are not checked here.
 * 1 to 2: `saveSeconds` and `saveHotkey` became the first of several presets; a key for marks came, unless it is taken already.
 */
export function migrated(raw: unknown): { values: Record<string, unknown>; from: number } {
  const parsed = AnyObject.safeParse(raw);
  if (!parsed.success) return { values: {}, from: DEFAULT_SETTINGS.version };
  const { version, ...values } = parsed.data;
  if (version !== 1) return { values: parsed.data, from: DEFAULT_SETTINGS.version };
  const { saveSeconds, saveHotkey, ...rest } = values;
  const [preset] = DEFAULT_SETTINGS.savePresets;
  const { markHotkey } = DEFAULT_SETTINGS;
  return {
    from: 1,
    values: {
      savePresets: [{ ...preset, seconds: saveSeconds ?? preset?.seconds, hotkey: saveHotkey ?? preset?.hotkey }],
      markHotkey: saveHotkey === markHotkey ? '' : markHotkey,
      ...rest,
    },
  };
}
