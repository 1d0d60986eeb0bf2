import { RefreshCw, ScanSearch } from 'lucide-react';
import type { ReactNode } from 'react';
import { startCapture } from '../store/actions.ts';
import { chooseSource, useConnected, useStudio, useStudioStore } from '../store/store.ts';
import { SetupTestButton } from '../setup/SetupDialog.tsx';
import { Button } from '../ui/Button.tsx';
import { cx } from '../ui/cx.ts';
import { useBusy } from '../ui/useBusy.ts';
import { FollowSwitch } from './FollowSwitch.tsx';
import { pickSource } from './pick.ts';
import { SourceList } from './SourceList.tsx';
import { useFreshSources } from './useFreshSources.ts';

/** What Start would start, as the header, the picker and the source card see it. */
export function useChosenSource() {
  const chosenId = useStudioStore((store) => store.chosenSourceId);
  return useStudio((state) => pickSource(state.sources, chosenId, state.settings.lastSource));
}

/** The idle screen: what can be streamed, the likely one selected, Enter starts. */
export function SourcePicker() {
  const sources = useStudio((state) => state.sources);
  const chosen = useChosenSource();
  const connected = useConnected();
  const { version, busy: refreshing, refresh } = useFreshSources();
  const [, run] = useBusy();
  const start = (): void => {
    if (chosen && connected) run(() => startCapture(chosen.id));
  };
  const real = sources.filter((source) => source.kind === 'window' || source.kind === 'screen');

  return (
    <section aria-labelledby="picker-title" className="card flex min-h-0 flex-col overflow-hidden">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 pt-3.5 pb-3">
        <div className="min-w-0 flex-1">
          <h2 id="picker-title" className="text-[15px] font-semibold">
            What do you want to stream?
          </h2>
          <p className="text-[12.5px] text-dim">
            Choose a window or a screen, then press <b className="font-medium text-ink">Start streaming</b> or Enter.
          </p>
        </div>
        <FollowSwitch />
        <SetupTestButton />
        <RefreshButton busy={refreshing} onClick={refresh} />
      </header>
      <div className="scroll min-h-0 flex-1 px-4 pt-1 pb-4">
        {real.length === 0 && <NothingOpen hasPattern={sources.length > 0} />}
        <SourceList
          sources={sources}
          selectedId={chosen?.id}
          onSelect={chooseSource}
          version={version}
          onConfirm={start}
        />
      </div>
    </section>
  );
}

export function RefreshButton({ busy, onClick }: { busy: boolean; onClick: () => void }) {
  return (
    <Button size="small" onClick={onClick} aria-busy={busy}>
      <RefreshCw size={14} aria-hidden className={cx(busy && 'animate-spin')} />
      Refresh
    </Button>
  );
}

function NothingOpen({ hasPattern }: { hasPattern: boolean }): ReactNode {
  return (
    <div className="mb-4 flex items-start gap-3 rounded-[10px] border border-dashed border-edge p-4">
      <ScanSearch size={22} aria-hidden className="mt-0.5 shrink-0 text-dim" />
      <div>
        <p className="font-medium">No windows or screens found</p>
        <p className="text-[12.5px] text-dim">
          Start the game in a window or in borderless mode, then press Refresh.
          {hasPattern && ' Or try everything with the test pattern below: it needs no screen.'}
        </p>
      </div>
    </div>
  );
}
