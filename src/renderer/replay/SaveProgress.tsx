import { LoaderCircle } from 'lucide-react';
import type { SaveJob } from '../../contract/replay.ts';
import { cancelSave } from '../store/actions.ts';
import { Button } from '../ui/Button.tsx';
import { progressWords } from './progress-words.ts';

/** The saves under way: how far they are, and a way to end them. */
export function SaveProgress({ saves, id, disabled }: { saves: readonly SaveJob[]; id: string; disabled: boolean }) {
  return (
    <>
      <span id={id} className="num flex items-center gap-1.5 text-[12.5px] text-dim">
        <LoaderCircle size={14} aria-hidden className="animate-spin" />
        {progressWords(saves)}
      </span>
      <Button
        look="quiet"
        size="small"
        disabled={disabled}
        onClick={() => {
          for (const job of saves) void cancelSave(job.id);
        }}
      >
        {saves.length === 1 ? 'Cancel' : 'Cancel all'}
      </Button>
    </>
  );
}
