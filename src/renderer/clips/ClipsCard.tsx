import { Film, FolderOpen } from 'lucide-react';
import { type Clip, clipFormat } from '../../contract/clips.ts';
import { openClipsFolder } from '../store/actions.ts';
import { openDialog, useConnected, useStudio } from '../store/store.ts';
import { Button } from '../ui/Button.tsx';
import { Picture } from '../ui/Picture.tsx';
import { useNow } from '../ui/useNow.ts';
import { age, clock, size, timeOfDay } from '../words/format.ts';

/** More than this many are better looked at in the folder. */
const SHOWN = 100;

/** What the file is called without the date in front, which the line below says better. */
export const clipTitle = (clip: Pick<Clip, 'name'>): string => {
  const name = clip.name.replace(/\.(mp4|mkv|ts|gif|webm)$/i, '');
  return name.replace(/^\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d /, '') || name;
};
const clipThumbnail = (id: string): string => `/api/clips/${encodeURIComponent(id)}/thumbnail`;

export function ClipsCard() {
  const clips = useStudio((state) => state.clips);
  const connected = useConnected();
  const now = useNow(15_000);
  const newest = [...clips].sort((a, b) => b.createdAt - a.createdAt).slice(0, SHOWN);

  return (
    <section aria-labelledby="clips-title" className="card flex min-h-[148px] flex-1 flex-col overflow-hidden">
      <header className="flex h-11 shrink-0 items-center justify-between pr-2 pl-3.5">
        <h2 id="clips-title" className="card-title">
          Latest clips
        </h2>
        <Button look="quiet" size="small" disabled={!connected} onClick={() => void openClipsFolder()}>
          <FolderOpen size={14} aria-hidden />
          Open folder
        </Button>
      </header>
      {newest.length === 0 ? (
        <p className="px-3.5 pb-3 text-[12.5px] text-dim">None yet. Save the replay and the clip appears here.</p>
      ) : (
        <ul className="scroll min-h-0 flex-1 px-2 pb-2">
          {newest.map((clip) => (
            <li key={clip.id}>
              <button
                type="button"
                onClick={() => openDialog({ kind: 'clip', id: clip.id })}
                className="flex w-full items-center gap-2.5 rounded-lg p-1.5 text-left hover:bg-raised"
              >
                <span className="relative shrink-0">
                  <Picture
                    src={clipThumbnail(clip.id)}
                    className="h-[41px] w-[72px] rounded-md"
                    fallback={<Film size={18} strokeWidth={1.5} aria-hidden />}
                  />
                  <span className="num absolute right-1 bottom-1 rounded bg-black/80 px-1 text-[10.5px] leading-4">
                    {clock(clip.seconds)}
                  </span>
                </span>
                <span className="min-w-0 flex-1">
                  <span className="block truncate" title={clip.name}>
                    {clipTitle(clip)}
                  </span>
                  <span className="num block truncate text-xs text-dim">
                    {timeOfDay(clip.createdAt * 1000, false)}, {age(now, clip.createdAt)}, {size(clip.bytes)}
                    {clipFormat(clip) === 'mp4' ? '' : `, ${clipFormat(clip)}`}
                  </span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
