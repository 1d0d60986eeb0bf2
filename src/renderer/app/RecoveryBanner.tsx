import { LifeBuoy } from 'lucide-react';
import { discardRecovery, saveRecovery } from '../store/actions.ts';
import { useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { Confirm } from '../ui/Confirm.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { clock, size, timeOfDay } from '../words/format.ts';

/** Offers what a run that ended unexpectedly left on the disk. It stays until the person decides. */
export function RecoveryBanner() {
  const recovery = useStudio((state) => state.recovery);
  const connected = useConnected();
  const [busy, run] = useBusy();
  if (!recovery) return null;
  const length = clock(recovery.seconds);
  return (
    <section
      aria-label="Recovery"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-accent/40 bg-[#111d30] px-4 py-2 text-[13px]"
    >
      <LifeBuoy size={16} aria-hidden className="shrink-0 text-accent" />
      <p className="min-w-0 flex-1">
        <strong role="status" className="font-semibold">
          Pitwall ended unexpectedly: the last {length} can be saved.
        </strong>{' '}
        <span className="num text-dim">
          Recorded until {timeOfDay(recovery.to * 1000)}, {size(recovery.bytes)} on the disk.
        </span>
      </p>
      <Button
        size="small"
        look="primary"
        aria-label="Save what was recovered"
        disabled={!connected || busy}
        onClick={() => run(saveRecovery)}
      >
        Save
      </Button>
      <Confirm
        title="Discard what was recovered?"
        text={`The last ${length} before Pitwall ended are deleted from the disk. This cannot be undone.`}
        confirm="Discard it"
        onConfirm={() => run(discardRecovery)}
      >
        <Button size="small" look="quiet" aria-label="Discard what was recovered" disabled={!connected || busy}>
          Discard
        </Button>
      </Confirm>
    </section>
  );
}
