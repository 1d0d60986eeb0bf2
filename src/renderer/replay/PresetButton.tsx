import { Save } from 'lucide-react';
import { type SavePreset, saveRequestOf } from '../../contract/settings.ts';
import type { HotkeyStatus } from '../../contract/state.ts';
import { saveReplay } from '../store/actions.ts';
import { Button } from '../ui/Button.tsx';
import { Keys } from '../ui/Keys.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { useKeyInThisWindow } from './useKeyInThisWindow.ts';
import { presetLabel } from './preset-words.ts';

type Props = {
  preset: SavePreset;
  hotkey: HotkeyStatus | undefined;
  /** the first one is the main action */
  first: boolean;
  disabled: boolean;
};

/** Saves what one preset says, by click or, where the system gives no global hotkey, by its key in this window. */
export function PresetButton({ preset, hotkey, first, disabled }: Props) {
  const [saving, run] = useBusy();
  const save = (): void => {
    if (!disabled) run(() => saveReplay(saveRequestOf(preset)));
  };
  useKeyInThisWindow(hotkey, save);
  return (
    <Button
      look={first ? 'primary' : 'plain'}
      onClick={save}
      disabled={disabled || saving}
      aria-describedby="save-note"
      className="num"
      {...(preset.clear ? { title: 'Drops what it saved from the replay' } : {})}
    >
      {first && <Save size={16} aria-hidden />}
      {presetLabel(preset)}
      <HotkeyHint hotkey={hotkey} onAccent={first && !disabled && !saving} />
    </Button>
  );
}

/** The key and, if so, that it works in this window only. */
export function HotkeyHint({ hotkey, onAccent = false }: { hotkey: HotkeyStatus | undefined; onAccent?: boolean }) {
  if (!hotkey || hotkey.state === 'off') return null;
  const elsewhere = hotkey.state === 'unavailable' ? 'Works only while this window has the keyboard' : undefined;
  return (
    <span title={elsewhere} className="inline-flex items-center gap-1">
      <Keys accelerator={hotkey.accelerator} onAccent={onAccent} />
      {elsewhere !== undefined && <span className="text-xs font-normal">in this window</span>}
    </span>
  );
}
