import type { Mark } from '../../../contract/index.ts';

export type Chapter = { from: number; to: number; title: string };

/** Two marks closer than this are one chapter start; a chapter of no length is lost by some players. */
const SHORTEST = 0.01;

/**
 * Chapters of a clip, seconds from its first picture: one for each mark within, up to the next one or the end, and one before the first
 * mark. That first one is needed: ffmpeg's mp4 chapters are a track that always begins at 0, so without it the first mark would move
 * there (measured, ffmpeg 5.1.9). Empty without a mark.
 */
export function chaptersOf(marks: readonly Mark[], clip: { epoch: number; from: number; seconds: number }): Chapter[] {
  const inside = marks
    .filter((mark) => mark.epoch === clip.epoch)
    .map((mark) => ({ from: mark.at - clip.from, title: mark.label }))
    // a mark set with the newest picture lies on the clip's very end
    .filter(({ from }) => from > -SHORTEST && from < clip.seconds + 0.001)
    .map(({ from, title }) => ({ from: from < SHORTEST ? 0 : Math.min(from, clip.seconds - SHORTEST), title }))
    .sort((a, b) => a.from - b.from);
  const first = inside[0];
  if (!first) return [];
  const starts = first.from >= SHORTEST ? [{ from: 0, title: 'Start' }, ...inside] : inside;
  const apart = starts.filter(({ from }, i) => i === 0 || from - (starts[i - 1]?.from ?? 0) >= SHORTEST);
  return apart.map(({ from, title }, i) => ({ from, title, to: apart[i + 1]?.from ?? clip.seconds }));
}

/**
 * The special characters of ffmpeg's metadata format (doc/metadata.texi): `=`, `;`, `#`, `\` and the newline. A backslash at the end takes
 * the newline after it along, escaped or not (ffmpeg 5.1.9), so a space follows it.
 */
const escaped = (text: string): string => text.replace(/[=;#\\\n]/g, '\\$&').replace(/\\$/, '$& ');

/** Chapters as ffmpeg reads them (`-f ffmetadata`); `shift` seconds are added to each time. */
export function ffmetadata(chapters: readonly Chapter[], shift: number): string {
  const micros = (seconds: number): string => String(Math.round((seconds + shift) * 1e6));
  const blocks = chapters.map(
    ({ from, to, title }) =>
      `[CHAPTER]\nTIMEBASE=1/1000000\nSTART=${micros(from)}\nEND=${micros(to)}\ntitle=${escaped(title)}\n`,
  );
  return `;FFMETADATA1\n${blocks.join('')}`;
}
