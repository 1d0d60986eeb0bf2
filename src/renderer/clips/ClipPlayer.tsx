import { Download, LoaderCircle } from 'lucide-react';
import { type RefObject, useEffect, useState } from 'react';
import { type Clip, clipFormat } from '../../contract/clips.ts';
import { Sentence } from '../ui/Sentence.tsx';
import { clipTitle } from './ClipsCard.tsx';
import { usePreparedPreview } from './usePreparedPreview.ts';

const PICTURE = 'max-h-[calc(100dvh-190px)] min-h-0 w-full bg-black';

/** Far more than it takes where it works at all. */
const deadlineMs = ({ seconds }: Clip): number => 60_000 + seconds * 4000;

/** Main profile, level 4: a browser that has HEVC at all says it has this. */
const playsHevc = (): boolean =>
  document.createElement('video').canPlayType('video/mp4; codecs="hvc1.1.6.L120.90"') !== '';

/** Shows a clip: the file itself where this window can play it, else a small H.264 copy which the studio makes for it. */
export function ClipPlayer({ clip, video }: { clip: Clip; video: RefObject<HTMLVideoElement | null> }) {
  const base = `/api/clips/${encodeURIComponent(clip.id)}`;
  const [original, setOriginal] = useState(clip.codec !== 'hevc' || playsHevc());
  const [unplayable, setUnplayable] = useState(false);
  const prepared = usePreparedPreview(original ? undefined : `${base}/preview`, deadlineMs(clip));
  const playsCopy = !original && prepared.state === 'ready';

  useEffect(() => {
    if (playsCopy) video.current?.focus();
  }, [playsCopy, video]);

  if (unplayable || (!original && prepared.state === 'failed')) {
    const { message, remedy } =
      prepared.state === 'failed'
        ? prepared
        : {
            message: 'The clip could not be played here.',
            remedy:
              'The file itself is untouched. Show it in its folder and open it in another player, such as mpv or VLC.',
          };
    return (
      <div className="grid gap-3 p-5">
        <Sentence severity="warning" message={message} remedy={remedy} />
        <OriginalFile address={`${base}/file`} />
      </div>
    );
  }
  if (original && clipFormat(clip) === 'gif') {
    return (
      <img
        src={`${base}/file`}
        alt={`The clip ${clipTitle(clip)}`}
        className={`${PICTURE} object-contain`}
        onError={() => setUnplayable(true)}
      />
    );
  }
  if (original) {
    return (
      <video
        ref={video}
        src={`${base}/file`}
        controls
        autoPlay
        className={PICTURE}
        onError={() => setOriginal(false)}
      />
    );
  }
  return (
    <>
      {playsCopy ? (
        <video
          ref={video}
          src={`${base}/preview`}
          controls
          autoPlay
          className={PICTURE}
          onError={() => setUnplayable(true)}
        />
      ) : (
        <div role="status" className="grid min-h-56 place-content-center justify-items-center gap-2 bg-black p-6">
          <LoaderCircle aria-hidden className="size-7 animate-spin text-accent" />
          <p className="font-medium">Preparing the picture</p>
          <p className="text-center text-[13px] text-balance text-dim">
            This window cannot play the file as it is, so a small copy is made. The clip stays as it was saved.
          </p>
        </div>
      )}
      <p className="flex flex-wrap items-center gap-x-3 px-5 pt-3 text-[12.5px] text-dim">
        {playsCopy && 'A small copy plays here; the clip has the full picture.'}
        <OriginalFile address={`${base}/file`} />
      </p>
    </>
  );
}

const OriginalFile = ({ address }: { address: string }) => (
  <a href={address} download className="inline-flex w-fit items-center gap-1.5 text-accent underline">
    <Download size={14} aria-hidden />
    Download the original file
  </a>
);
