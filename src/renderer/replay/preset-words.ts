import type { ReplayStatus } from '../../contract/replay.ts';
import type { SavePreset } from '../../contract/settings.ts';
import { span } from '../words/format.ts';

/** What the button of a preset says. */
export function presetLabel({ label, kind, seconds, format }: Omit<SavePreset, 'id' | 'hotkey' | 'clear'>): string {
  if (label !== undefined && label !== '') return label;
  const suffix = format === 'mp4' ? '' : ` as ${format}`;
  switch (kind) {
    case 'seconds':
      return `Save last ${span(seconds ?? 0)}${suffix}`;
    case 'all':
      return `Save all${suffix}`;
    case 'since-last-save':
      return `Save what is new${suffix}`;
  }
}

/** Seconds of the replay that a preset would take, as far as the page can know. */
export const presetTakes = ({ kind, seconds }: SavePreset, { secondsHeld }: ReplayStatus): number =>
  kind === 'seconds' ? Math.min(seconds ?? 0, secondsHeld) : secondsHeld;
