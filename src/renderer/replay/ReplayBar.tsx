import { Flag, TriangleAlert } from 'lucide-react';
import { addMark, clearReplay } from '../store/actions.ts';
import { useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { Confirm } from '../ui/Confirm.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { clock } from '../words/format.ts';
import { heldWords, saveDisabledReason, saveHint, shortfall } from '../words/replay-words.ts';
import { EpochBar } from './EpochBar.tsx';
import { MarkFlags } from './MarkFlags.tsx';
import { HotkeyHint, PresetButton } from './PresetButton.tsx';
import { presetTakes } from './preset-words.ts';
import { SaveProgress } from './SaveProgress.tsx';
import { useKeyInThisWindow } from './useKeyInThisWindow.ts';

/** What the memory buffer holds, its marks, and the buttons that make clips of it. */
export function ReplayBar() {
  const replay = useStudio((state) => state.replay);
  const session = useStudio((state) => state.session);
  const saves = useStudio((state) => state.saves);
  const hotkeys = useStudio((state) => state.hotkeys);
  const marks = useStudio((state) => state.marks);
  const presets = useStudio((state) => state.settings.savePresets);
  const connected = useConnected();
  const [marking, run] = useBusy();

  const words = heldWords(replay);
  const reason = saveDisabledReason({ connected, session, secondsHeld: replay.secondsHeld });
  const [main] = presets;
  const mainSeconds = main?.kind === 'seconds' ? (main.seconds ?? 0) : 0;
  const note = reason ?? saveHint(mainSeconds, replay.secondsHeld);
  const short = shortfall(replay);
  const markKey = hotkeys.find(({ id }) => id === 'mark');
  const mark = (): void => {
    if (!reason) run(addMark);
  };
  useKeyInThisWindow(markKey, mark);

  return (
    <section aria-labelledby="replay-title" className="card px-3.5 py-3">
      <div className="mb-2.5 flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 id="replay-title" className="card-title">
          Replay
        </h2>
        <div
          role="meter"
          aria-label="Replay held"
          aria-valuemin={0}
          aria-valuemax={Math.round(replay.capacitySeconds)}
          aria-valuenow={Math.min(Math.floor(replay.secondsHeld), Math.round(replay.capacitySeconds))}
          aria-valuetext={`${words.time}, ${words.memory}`}
          className="h-1.5 w-28 overflow-hidden rounded-full bg-line"
        >
          <div
            className="h-full rounded-full bg-ok"
            style={{ width: `${Math.min(100, (replay.secondsHeld / replay.capacitySeconds) * 100)}%` }}
          />
        </div>
        <p className="num text-[12.5px]">
          {words.time} <span className="text-faint">·</span> <span className="text-dim">{words.memory}</span>
        </p>
        {short !== undefined && (
          <p className="num flex items-center gap-1.5 text-[12.5px] text-warn">
            <TriangleAlert size={14} aria-hidden />
            {short}
          </p>
        )}
        <div className="ml-auto flex flex-wrap items-center justify-end gap-x-3 gap-y-2">
          {saves.length > 0 && !reason ? (
            <SaveProgress saves={saves} id="save-note" disabled={!connected} />
          ) : (
            <span id="save-note" className="num text-[12.5px] text-dim">
              {note}
            </span>
          )}
          <Button look="quiet" size="small" disabled={reason !== undefined || marking} onClick={mark}>
            <Flag size={14} aria-hidden />
            Mark
            <HotkeyHint hotkey={markKey} />
          </Button>
          <Confirm
            title="Clear the replay?"
            text={`${clock(replay.secondsHeld)} of video in memory will be gone for good. Saved clips stay, and streaming goes on.`}
            confirm="Clear the replay"
            onConfirm={() => void clearReplay()}
          >
            <Button look="quiet" size="small" disabled={!connected || replay.secondsHeld === 0}>
              Clear
            </Button>
          </Confirm>
          {presets.map((preset, index) => (
            <PresetButton
              key={preset.id}
              preset={preset}
              hotkey={hotkeys.find(({ id }) => id === preset.id)}
              first={index === 0}
              disabled={reason !== undefined}
            />
          ))}
        </div>
      </div>
      <EpochBar replay={replay} takes={main ? presetTakes(main, replay) : 0} live={session.state === 'live'}>
        <MarkFlags marks={marks} replay={replay} disabled={!connected} />
      </EpochBar>
    </section>
  );
}
