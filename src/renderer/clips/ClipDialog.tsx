import { FolderSearch, Trash2 } from 'lucide-react';
import { useRef, useState } from 'react';
import { type Clip, clipFormat } from '../../contract/clips.ts';
import { deleteClip, revealClip } from '../store/actions.ts';
import { closeDialog, useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { Confirm } from '../ui/Confirm.tsx';
import { Modal } from '../ui/Modal.tsx';
import { Sentence } from '../ui/Sentence.tsx';
import { useBusy } from '../ui/useBusy.ts';
import { clock, dimensions, size } from '../words/format.ts';
import { clipTitle } from './ClipsCard.tsx';

const CODEC_WORDS: Record<Clip['codec'], string> = { h264: 'H.264', hevc: 'HEVC', vp8: 'VP8', vp9: 'VP9', gif: 'GIF' };

/** Plays one clip. */
export function ClipDialog({ id }: { id: string }) {
  const clip = useStudio((state) => state.clips.find((one) => one.id === id));
  const connected = useConnected();
  const video = useRef<HTMLVideoElement>(null);
  const [unplayable, setUnplayable] = useState(false);
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
        event.preventDefault();
        video.current?.focus();
      }}
    >
      {unplayable ? (
        <div className="p-5">
          <Sentence
            severity="warning"
            message={
              clip.codec === 'hevc' ? 'This window cannot play HEVC video.' : 'The clip could not be played here.'
            }
            remedy="The file itself is untouched. Show it in its folder and open it in another player, such as mpv or VLC."
          />
        </div>
      ) : clipFormat(clip) === 'gif' ? (
        <img
          src={`/api/clips/${encodeURIComponent(clip.id)}/file`}
          alt={`The clip ${clipTitle(clip)}`}
          className="max-h-[calc(100dvh-190px)] min-h-0 w-full bg-black object-contain"
          onError={() => setUnplayable(true)}
        />
      ) : (
        <video
          ref={video}
          src={`/api/clips/${encodeURIComponent(clip.id)}/file`}
          controls
          autoPlay
          className="max-h-[calc(100dvh-190px)] min-h-0 w-full bg-black"
          onError={() => setUnplayable(true)}
        />
      )}
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
