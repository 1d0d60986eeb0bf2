import type { AudioTrack } from '../../contract/audio.ts';
import { useStudio } from '../store/store.ts';
import { cx } from '../ui/cx.ts';

/** The left end of a meter, dBFS: quieter is not to be heard beside a game. */
const FLOOR_DB = -60;
/** From here on the sound is about to be cut, dBFS. */
const LOUD_DB = -3;

const share = (db: number | null): number => (db === null ? 0 : Math.min(1, Math.max(0, 1 - db / FLOOR_DB)));

const levelWords = ({ rmsDb, silentSince }: AudioTrack): string => {
  if (rmsDb === null) return 'not measured yet';
  return silentSince === null ? `${Math.round(rmsDb)} dB` : 'silent';
};

/** How loud each captured track is: the bar is the mean, the tick the peak of the last quarter second. */
export function SoundLevels() {
  const tracks = useStudio((state) => state.audio.tracks);
  if (tracks.length === 0) return null;
  return (
    <dl aria-label="Sound" className="mt-1.5 grid gap-1.5 border-t border-line pt-2">
      {tracks.map((track) => (
        <div key={track.role} className="grid grid-cols-[1fr_auto] items-center gap-x-2 text-xs text-dim">
          <dt className="truncate" title={track.device}>
            {track.role === 'desktop' ? 'Desktop' : 'Microphone'}
            {track.device !== '' && `: ${track.device}`}
          </dt>
          <dd className="num">{levelWords(track)}</dd>
          <div aria-hidden className="relative col-span-2 h-1.5 overflow-hidden rounded-full bg-line">
            <div
              className={cx('h-full rounded-full', (track.peakDb ?? FLOOR_DB) > LOUD_DB ? 'bg-warn' : 'bg-ok')}
              style={{ width: `${100 * share(track.rmsDb)}%` }}
            />
            <div className="absolute top-0 h-full w-0.5 bg-ink" style={{ left: `${99 * share(track.peakDb)}%` }} />
          </div>
        </div>
      ))}
    </dl>
  );
}
