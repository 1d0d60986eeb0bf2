import { Tabs } from 'radix-ui';
import { closeDialog, openDialog, useStudio } from '../store/store.ts';
import { Modal } from '../ui/Modal.tsx';
import { PeersPanel } from './PeersPanel.tsx';
import { PushPanel } from './PushPanel.tsx';
import { UsePanel } from './UsePanel.tsx';

type StreamTab = 'use' | 'peers' | 'push';

const TABS: readonly (readonly [StreamTab, string])[] = [
  ['use', 'Use this stream'],
  ['peers', 'Who is connected'],
  ['push', 'Push to servers'],
];

/** Everything about the live address: how to read it, who does, and where it is pushed. */
export function StreamDialog({ tab }: { tab: StreamTab }) {
  const pushing = useStudio((state) => state.push.filter(({ enabled }) => enabled).length);
  const connected = useStudio(({ rtmp }) => (rtmp.state === 'up' ? rtmp.publishers.length + rtmp.readers.length : 0));
  const numbers: Partial<Record<StreamTab, number>> = { peers: connected, push: pushing };
  return (
    <Modal title="Live stream" width="max-w-3xl" onClose={closeDialog}>
      <Tabs.Root
        value={tab}
        onValueChange={(value) => {
          const chosen = TABS.find(([one]) => one === value);
          if (chosen) openDialog({ kind: 'stream', tab: chosen[0] });
        }}
        className="flex min-h-0 flex-col"
      >
        <Tabs.List aria-label="About the stream" className="flex shrink-0 flex-wrap gap-x-1 border-b border-line px-3">
          {TABS.map(([value, words]) => (
            <Tabs.Trigger
              key={value}
              value={value}
              className="-mb-px h-10 border-b-2 border-transparent px-2.5 text-[13px] text-dim hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink"
            >
              {words}
              {(numbers[value] ?? 0) > 0 && <span className="num ml-1.5 text-xs text-dim">{numbers[value]}</span>}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content value="use" className="scroll min-h-0 px-5 py-4">
          <UsePanel />
        </Tabs.Content>
        <Tabs.Content value="peers" className="scroll min-h-0 px-5 py-4">
          <PeersPanel />
        </Tabs.Content>
        <Tabs.Content value="push" className="scroll min-h-0 px-5 py-4">
          <PushPanel />
        </Tabs.Content>
      </Tabs.Root>
    </Modal>
  );
}
