import { FolderSearch, Trash2 } from 'lucide-react';
import { useRef } from 'react';
import type { Clip } from '../../contract/clips.ts';
import { deleteClip, revealClip } from '../store/actions.ts';
import { closeDialog, useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { Confirm } from '../ui/Confirm.tsx';
import { Modal } from '../ui/Modal.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { clock, dimensions, size } from '../words/format.ts';
import { ClipPlayer } from './ClipPlayer.tsx';
import { clipTitle } from './ClipsCard.tsx';

const CODEC_WORDS: Record<Clip['codec'], string> = { h264: 'H.264', hevc: 'HEVC', vp8: 'VP8', vp9: 'VP9', gif: 'GIF' };

/** Plays one clip. */
export function ClipDialog({ id }: { id: string }) {
  const clip = useStudio((state) => state.clips.find((one) => one.id === id));
  const connected = useConnected();
  const video = useRef<HTMLVideoElement>(null);
  const [deleting, run] = useBusy();

  if (!clip) {
    return (
      <Modal
        title="Clip not found"
        description="It is no longer in the clips folder: it may have been moved or deleted."
        width="max-w-md"
        onClose={closeDialog}
      >
        <div className="flex justify-end p-4">
          <Button onClick={closeDialog}>Close</Button>
        </div>
      </Modal>
    );
  }
  const facts = [
    new Date(clip.createdAt * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }),
    clock(clip.seconds),
    size(clip.bytes),
    clip.width !== undefined && clip.height !== undefined ? dimensions(clip.width, clip.height) : undefined,
    CODEC_WORDS[clip.codec],
  ];
  return (
    <Modal
      title={clipTitle(clip)}
      description={facts.filter((fact) => fact !== undefined).join(' · ')}
      width="max-w-5xl"
      onClose={closeDialog}
      onOpenAutoFocus={(event) => {
        // the player gets the keyboard: space plays and pauses, the arrows seek
        if (!video.current) return;
        event.preventDefault();
        video.current.focus();
      }}
    >
      <ClipPlayer clip={clip} video={video} />
      <footer className="flex items-center gap-2 border-t border-line px-5 py-3.5">
        <Confirm
          title="Delete this clip?"
          text={`"${clipTitle(clip)}" moves to the trash of this computer.`}
          confirm="Move to the trash"
          onConfirm={() => run(() => deleteClip(clip.id))}
        >
          <Button look="quiet" disabled={!connected || deleting}>
            <Trash2 size={15} aria-hidden />
            Delete
          </Button>
        </Confirm>
        <span className="flex-1" />
        <Button disabled={!connected} onClick={() => void revealClip(clip.id)}>
          <FolderSearch size={15} aria-hidden />
          Show in folder
        </Button>
      </footer>
    </Modal>
  );
}
