import { useState } from 'react';
import { startCapture } from '../store/actions.ts';
import { chooseSource, closeDialog, useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { Modal } from '../ui/Modal.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { isRunning } from '../words/session-words.ts';
import { FollowSwitch } from './FollowSwitch.tsx';
import { SourceList } from './SourceList.tsx';
import { RefreshButton, useChosenSource } from './SourcePicker.tsx';
import { useFreshSources } from './useFreshSources.ts';

/** The same list while a capture exists: choosing switches it. */
export function SourceDialog() {
  const { session, sources } = useStudio((state) => state);
  const connected = useConnected();
  const preferred = useChosenSource();
  const { version, busy: refreshing, refresh } = useFreshSources();
  const [switching, run] = useBusy();
  const running = isRunning(session);
  const currentId = running && session.state !== 'idle' ? session.source?.id : undefined;
  const [touchedId, setTouchedId] = useState<string>();
  const wanted = touchedId ?? currentId ?? preferred?.id;
  const selected = sources.find(({ id, available }) => available && id === wanted);

  const confirm = (): void => {
    if (!selected || !connected) return;
    if (selected.id === currentId) {
      closeDialog();
      return;
    }
    run(async () => {
      chooseSource(selected.id);
      if (await startCapture(selected.id)) closeDialog();
    });
  };

  return (
    <Modal
      title={running ? 'Change the source' : 'Choose a source'}
      description={running ? 'The stream goes on with the new picture; the replay keeps what it holds.' : undefined}
      width="max-w-4xl"
      onClose={closeDialog}
    >
      <div className="scroll min-h-0 px-5 py-4">
        <SourceList
          sources={sources}
          selectedId={selected?.id}
          currentId={currentId}
          onSelect={setTouchedId}
          version={version}
          onConfirm={confirm}
        />
      </div>
      <footer className="flex flex-wrap items-center gap-2 border-t border-line px-5 py-3.5">
        <RefreshButton busy={refreshing} onClick={refresh} />
        <FollowSwitch />
        <span className="flex-1" />
        <Button onClick={closeDialog}>Cancel</Button>
        <Button
          look="primary"
          disabled={!selected || selected.id === currentId || !connected || switching}
          onClick={confirm}
        >
          {running ? 'Switch to this source' : 'Start streaming'}
        </Button>
      </footer>
    </Modal>
  );
}
