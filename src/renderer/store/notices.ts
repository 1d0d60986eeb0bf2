import { toast } from 'sonner';
import type { Notice } from '../../contract/state.ts';
import { clock } from '../words/format.ts';
import { revealClip } from './actions.ts';
import { showFailure } from './failures.ts';
import { openDialog } from './store.ts';

const READING_MS = 10_000;

export function showNotice(notice: Notice): void {
  switch (notice.type) {
    case 'clip-saved': {
      const [first] = notice.clips;
      if (!first) return;
      const count = notice.clips.length;
      const what =
        count === 1 ? `Clip saved, ${clock(notice.seconds)}` : `${count} clips saved, ${clock(notice.seconds)} in all`;
      const tell = notice.warning === true ? toast.warning : toast.success;
      tell(what, {
        description: notice.reason ?? first.name,
        duration: READING_MS,
        action: { label: 'Play', onClick: () => openDialog({ kind: 'clip', id: first.id }) },
        cancel: { label: 'Show in folder', onClick: () => void revealClip(first.id) },
      });
      return;
    }
    case 'save-failed':
    case 'capture-failed':
      showFailure(notice.error);
      return;
    case 'encoder-fallback':
      toast.warning(notice.message, { duration: READING_MS });
      return;
    case 'capture-recovered':
      toast.success(notice.message, { duration: READING_MS });
  }
}
