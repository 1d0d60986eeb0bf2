import { Pencil, Plus, Trash2 } from 'lucide-react';
import { Switch } from 'radix-ui';
import { useState } from 'react';
import { MAX_PUSH_TARGETS, type PushStatus } from '../../contract/push.ts';
import { deletePushTarget, enablePushTarget } from '../store/actions.ts';
import { useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { Confirm } from '../ui/Confirm.tsx';
import { cx } from '../ui/cx.ts';
import { Sentence } from '../ui/Sentence.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { useNow } from '../ui/useNow.ts';
import { PushEditor } from './PushEditor.tsx';
import { pushWords, type PushWords } from './push-words.ts';

const DOT: Record<PushWords['tone'], string> = {
  ok: 'bg-ok',
  warn: 'bg-warn',
  busy: 'bg-accent animate-pulse',
  plain: 'bg-faint',
};

/** The servers the stream is pushed to, and the form that adds one. */
export function PushPanel() {
  const targets = useStudio((state) => state.push);
  /** the id of the target being edited, `new` for one that is added */
  const [editing, setEditing] = useState<string | null>(null);
  if (editing !== null) {
    const target = targets.find(({ id }) => id === editing);
    return <PushEditor key={editing} target={target} onDone={() => setEditing(null)} />;
  }
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-3">
      <p className="text-[13px] text-dim">
        The same stream, sent on to Twitch, YouTube or a media server of your own. It costs upload, not encoding, and
        never disturbs the stream or the replay.
      </p>
      {targets.length > 0 && (
        <ul className="grid grid-cols-[minmax(0,1fr)] gap-2">
          {targets.map((target) => (
            <TargetRow key={target.id} target={target} onEdit={() => setEditing(target.id)} />
          ))}
        </ul>
      )}
      {targets.length < MAX_PUSH_TARGETS ? (
        <div>
          <Button look={targets.length === 0 ? 'primary' : 'plain'} onClick={() => setEditing('new')}>
            <Plus size={15} aria-hidden />
            Add a server
          </Button>
        </div>
      ) : (
        <p className="text-xs text-dim">More than {MAX_PUSH_TARGETS} servers are not possible.</p>
      )}
    </div>
  );
}

function TargetRow({ target, onEdit }: { target: PushStatus; onEdit: () => void }) {
  const connected = useConnected();
  const now = useNow();
  const [busy, run] = useBusy();
  const words = pushWords(target, now);
  return (
    <li className="rounded-lg border border-line px-3 py-2.5">
      <div className="flex items-center gap-3">
        <Switch.Root
          aria-label={`Push to ${target.name}`}
          checked={target.enabled}
          disabled={!connected || busy}
          onCheckedChange={(enabled) => run(() => enablePushTarget(target.id, enabled))}
          className="relative h-5 w-9 shrink-0 rounded-full border border-edge bg-page transition-colors data-[state=checked]:border-accent data-[state=checked]:bg-accent"
        >
          <Switch.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-dim transition-transform data-[state=checked]:translate-x-[18px] data-[state=checked]:bg-accent-ink" />
        </Switch.Root>
        <div className="min-w-0 flex-1">
          <div className="truncate font-medium" title={target.name}>
            {target.name}
          </div>
          <div className="truncate font-mono text-xs text-dim" title={target.url}>
            {target.url}
          </div>
        </div>
        <Button look="quiet" size="icon" aria-label={`Edit ${target.name}`} title="Edit" onClick={onEdit}>
          <Pencil size={15} aria-hidden />
        </Button>
        <Confirm
          title={`Delete ${target.name}?`}
          text={
            target.hasKey
              ? 'The address and its stream key are forgotten. What is pushed there now ends.'
              : 'The address is forgotten. What is pushed there now ends.'
          }
          confirm="Delete the server"
          onConfirm={() => run(() => deletePushTarget(target.id))}
        >
          <Button
            look="quiet"
            size="icon"
            aria-label={`Delete ${target.name}`}
            title="Delete"
            disabled={!connected || busy}
          >
            <Trash2 size={15} aria-hidden />
          </Button>
        </Confirm>
      </div>
      <p className="num mt-2 flex items-center gap-2 text-xs text-dim">
        <i aria-hidden className={cx('size-2 shrink-0 rounded-full', DOT[words.tone])} />
        {words.text}
      </p>
      {target.error && target.state !== 'off' && target.state !== 'live' && (
        <div className="mt-2">
          <Sentence severity="warning" message={target.error.message} remedy={target.error.remedy} />
        </div>
      )}
    </li>
  );
}
