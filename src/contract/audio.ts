import { z } from 'zod';

export const AudioRole = z.enum(['desktop', 'microphone']);
export type AudioRole = z.infer<typeof AudioRole>;

/** A device sound can be captured from. `id` is the system's, which may change when it is plugged in anew; then the name finds it. */
export const AudioDevice = z.object({
  id: z.string().min(1).max(512),
  name: z.string().max(512),
  role: AudioRole,
  isDefault: z.boolean(),
});
export type AudioDevice = z.infer<typeof AudioDevice>;

/** Which device feeds a track: null for the system's default one. */
export const AudioPick = z.strictObject({
  enabled: z.boolean(),
  device: AudioDevice.pick({ id: true, name: true }).nullable(),
});
export type AudioPick = z.infer<typeof AudioPick>;

export const AudioSettings = z.strictObject({
  desktop: AudioPick,
  microphone: AudioPick,
  /** added to the sound's times: positive when the sound is early and has to come later, ms */
  offsetMs: z.int().min(-2000).max(2000),
});
export type AudioSettings = z.infer<typeof AudioSettings>;

export const DEFAULT_AUDIO: AudioSettings = {
  desktop: { enabled: true, device: null },
  microphone: { enabled: false, device: null },
  offsetMs: 0,
};

/** One captured track as it is now; levels in dBFS over the last quarter second, null before the first. */
export const AudioTrack = z.object({
  role: AudioRole,
  device: z.string(),
  rmsDb: z.number().nullable(),
  peakDb: z.number().nullable(),
  /** Unix seconds since when nothing is to be heard, null while something is */
  silentSince: z.number().nullable(),
});
export type AudioTrack = z.infer<typeof AudioTrack>;

export const AudioState = z.object({
  /** why no sound can be captured here; null when it can */
  unavailable: z.string().nullable(),
  devices: z.array(AudioDevice),
  /** what is being captured; empty while idle */
  tracks: z.array(AudioTrack),
});
export type AudioState = z.infer<typeof AudioState>;
