import { CircleQuestionMark, Gauge, Play, Settings, Square } from 'lucide-react';
import { startCapture, stopCapture } from '../store/actions.ts';
import { openDialog, useConnected, useStudio } from '../store/store.ts';
import { useChosenSource } from '../sources/SourcePicker.tsx';
import { Button } from '../ui/Button.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { ProblemPill } from './ProblemPill.tsx';
import { RtmpPill } from './RtmpPill.tsx';
import { StatePill } from './StatePill.tsx';

export function Header() {
  return (
    <header className="sticky top-0 z-20 flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line bg-panel px-4 py-2">
      <h1 className="flex items-center gap-2.5 font-semibold tracking-wide">
        <i
          aria-hidden
          className="size-3 rounded-[3px] bg-[conic-gradient(var(--color-accent)_25%,#fff_0_50%,var(--color-accent)_0_75%,#fff_0)]"
        />
        Pitwall
      </h1>
      <StatePill />
      <RtmpPill />
      <ProblemPill />
      <span className="flex-1" />
      <Button
        look="quiet"
        aria-label="Setup test"
        title="Test my setup"
        size="icon"
        onClick={() => openDialog({ kind: 'setup' })}
      >
        <Gauge size={18} strokeWidth={1.7} aria-hidden />
      </Button>
      <Button look="quiet" aria-label="Help" title="Help" size="icon" onClick={() => openDialog({ kind: 'help' })}>
        <CircleQuestionMark size={18} strokeWidth={1.7} aria-hidden />
      </Button>
      <Button
        look="quiet"
        aria-label="Settings"
        title="Settings"
        size="icon"
        onClick={() => openDialog({ kind: 'settings' })}
      >
        <Settings size={18} strokeWidth={1.7} aria-hidden />
      </Button>
      <StartStop />
    </header>
  );
}

function StartStop() {
  const session = useStudio((state) => state.session);
  const connected = useConnected();
  const chosen = useChosenSource();
  const sources = useStudio((state) => state.sources);
  // apart from each other: a start that waits for its first picture can be stopped
  const [starting, start] = useBusy();
  const [stopping, stop] = useBusy();
  // after a failure the screen shows the source that failed: the button must not start another one
  const failedId = session.state === 'failed' ? session.source?.id : undefined;
  const target = failedId === undefined ? chosen : sources.find(({ id, available }) => available && id === failedId);

  switch (session.state) {
    case 'starting':
    case 'live':
    case 'stalled':
    case 'reconnecting':
      return (
        <Button
          look="stop"
          aria-label="Stop streaming"
          disabled={stopping || !connected}
          onClick={() => stop(stopCapture)}
        >
          <Square size={13} aria-hidden className="fill-current" />
          <span>
            Stop<span className="max-sm:hidden"> streaming</span>
          </span>
        </Button>
      );
    case 'stopping':
      return <Button disabled>Stopping…</Button>;
    case 'idle':
    case 'failed':
      return (
        <Button
          look={session.state === 'idle' ? 'primary' : 'plain'}
          aria-label="Start streaming"
          disabled={starting || !connected || !target}
          title={target ? `Stream ${target.name}` : 'Choose a window or a screen first'}
          onClick={() => target && start(() => startCapture(target.id))}
        >
          <Play size={15} aria-hidden className="fill-current" />
          <span>
            Start<span className="max-sm:hidden"> streaming</span>
          </span>
        </Button>
      );
  }
}
