import { followGame } from '../store/actions.ts';
import { useConnected, useStudio } from '../store/store.ts';
import { useBusy } from '../ui/useBusy.ts';

/** The option to go live with the game; it takes effect at once. */
export function FollowSwitch() {
  const on = useStudio((state) => state.settings.followGame);
  const connected = useConnected();
  const [busy, run] = useBusy();
  return (
    <label
      className="flex min-h-8 items-center gap-2 text-[12.5px] text-dim"
      title="Starts when a known racing game appears and stops when it closes. Stop, or another source, pauses it until the game is closed."
    >
      <input
        type="checkbox"
        className="size-4 accent-accent"
        checked={on}
        disabled={!connected || busy}
        onChange={(event) => {
          const wanted = event.target.checked;
          run(() => followGame(wanted));
        }}
      />
      Start and stop with the game
    </label>
  );
}
