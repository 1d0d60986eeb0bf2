import { LoaderCircle, Save, TriangleAlert } from 'lucide-react';
import { useEffect } from 'react';
import type { HotkeyStatus } from '../../contract/state.ts';
import { clearReplay, saveReplay } from '../store/actions.ts';
import { useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { Confirm } from '../ui/Confirm.tsx';
import { Keys } from '../ui/Keys.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { acceleratorOf } from '../words/accelerator.ts';
import { clock, span } from '../words/format.ts';
import { heldWords, saveDisabledReason, saveHint, shortfall } from '../words/replay-words.ts';
import { EpochBar } from './EpochBar.tsx';

/** What the memory buffer holds, and the button that makes a clip of it. */
export function ReplayBar() {
  const replay = useStudio((state) => state.replay);
  const session = useStudio((state) => state.session);
  const saves = useStudio((state) => state.saves);
  const hotkey = useStudio((state) => state.hotkey);
  const saveSeconds = useStudio((state) => state.settings.saveSeconds);
  const connected = useConnected();
  const [saving, run] = useBusy();

  const words = heldWords(replay);
  const reason = saveDisabledReason({ connected, session, secondsHeld: replay.secondsHeld });
  const underWay = saves[0];
  const note =
    reason ??
    (underWay
      ? `Saving ${span(underWay.askedSeconds)}, then checking the file`
      : saveHint(saveSeconds, replay.secondsHeld));
  const short = shortfall(replay);
  const save = (): void => {
    if (!reason) run(() => saveReplay(saveSeconds));
  };
  useKeyInThisWindow(hotkey, save);

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
          <span id="save-note" className="num flex items-center gap-1.5 text-[12.5px] text-dim">
            {underWay && !reason && <LoaderCircle size={14} aria-hidden className="animate-spin" />}
            {note}
          </span>
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
          <Button
            look="primary"
            onClick={save}
            disabled={reason !== undefined || saving}
            aria-describedby="save-note"
            className="num"
          >
            <Save size={16} aria-hidden />
            Save last {span(saveSeconds)}
            <HotkeyHint hotkey={hotkey} onAccent={reason === undefined && !saving} />
          </Button>
        </div>
      </div>
      <EpochBar replay={replay} saveSeconds={saveSeconds} live={session.state === 'live'} />
    </section>
  );
}

function HotkeyHint({ hotkey, onAccent }: { hotkey: HotkeyStatus; onAccent: boolean }) {
  if (hotkey.state === 'off') return null;
  const elsewhere = hotkey.state === 'unavailable' ? 'Works only while this window has the keyboard' : undefined;
  return (
    <span title={elsewhere} className="inline-flex items-center gap-1">
      <Keys accelerator={hotkey.accelerator} onAccent={onAccent} />
      {elsewhere !== undefined && <span className="text-xs font-normal">in this window</span>}
    </span>
  );
}

/** Where the system gives us no global hotkey, its key still works in this window. */
function useKeyInThisWindow(hotkey: HotkeyStatus, save: () => void): void {
  const accelerator = hotkey.state === 'unavailable' ? hotkey.accelerator : undefined;
  useEffect(() => {
    if (accelerator === undefined) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.repeat || acceleratorOf(event) !== accelerator) return;
      if (document.querySelector('[data-recording-hotkey]')) return;
      event.preventDefault();
      save();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [accelerator, save]);
}
