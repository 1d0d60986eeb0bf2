import { LoaderCircle } from 'lucide-react';
import { Toaster } from 'sonner';
import { ClipDialog } from '../clips/ClipDialog.tsx';
import { ClipsCard } from '../clips/ClipsCard.tsx';
import { Header } from '../header/Header.tsx';
import { HealthCard } from '../health/HealthCard.tsx';
import { HelpDialog } from '../help/HelpDialog.tsx';
import { PreviewPanel } from '../preview/PreviewPanel.tsx';
import { ReplayBar } from '../replay/ReplayBar.tsx';
import { SettingsDialog } from '../settings/SettingsDialog.tsx';
import { SetupDialog } from '../setup/SetupDialog.tsx';
import { SourceCard } from '../sources/SourceCard.tsx';
import { SourceDialog } from '../sources/SourceDialog.tsx';
import { StreamCard } from '../stream/StreamCard.tsx';
import { StreamDialog } from '../stream/StreamDialog.tsx';
import { SourcePicker } from '../sources/SourcePicker.tsx';
import { useStudio, useStudioStore } from '../store/store.ts';
import { ConnectionBanner } from './ConnectionBanner.tsx';
import { RecoveryBanner } from './RecoveryBanner.tsx';

export function App() {
  const ready = useStudioStore((store) => store.mirror !== null);
  return (
    <div className="flex min-h-dvh flex-col lg:h-dvh">
      <ConnectionBanner />
      {ready ? <Studio /> : <Connecting />}
      <Toaster
        theme="dark"
        position="bottom-left"
        offset={{ bottom: 150, left: 24 }}
        mobileOffset={{ bottom: 16 }}
        visibleToasts={4}
        expand
        closeButton
        toastOptions={{ className: 'pitwall-toast' }}
      />
    </div>
  );
}

function Studio() {
  const idle = useStudio((state) => state.session.state === 'idle');
  return (
    <>
      <RecoveryBanner />
      <Header />
      <main className="grid min-h-0 flex-1 gap-3 p-3 lg:grid-cols-[minmax(0,1fr)_300px] lg:grid-rows-[minmax(0,1fr)_auto]">
        <div className="grid min-h-0 max-lg:min-h-[max(260px,56vw)]">{idle ? <SourcePicker /> : <PreviewPanel />}</div>
        <aside
          aria-label="Source, health and clips"
          className="scroll relative flex min-h-0 flex-col gap-3 max-lg:order-3"
        >
          <SourceCard />
          <HealthCard />
          {!idle && <StreamCard />}
          <ClipsCard />
        </aside>
        <div className="lg:col-span-2">
          <ReplayBar />
        </div>
      </main>
      <Dialogs />
    </>
  );
}

function Dialogs() {
  const dialog = useStudioStore((store) => store.dialog);
  switch (dialog?.kind) {
    case 'sources':
      return <SourceDialog />;
    case 'settings':
      return <SettingsDialog group={dialog.group} />;
    case 'stream':
      return <StreamDialog tab={dialog.tab} />;
    case 'setup':
      return <SetupDialog />;
    case 'help':
      return <HelpDialog />;
    case 'clip':
      return <ClipDialog key={dialog.id} id={dialog.id} />;
    default:
      return null;
  }
}

/** Ends within seconds: either the first snapshot arrives or the banner says that there is no answer. */
function Connecting() {
  return (
    <main className="grid flex-1 place-items-center p-6">
      <p role="status" className="flex items-center gap-3 text-dim">
        <LoaderCircle size={18} aria-hidden className="animate-spin" />
        Connecting to the studio…
      </p>
    </main>
  );
}
