import { StudioError, type ClipFormat } from '../../../contract/index.ts';
import { saveFile, type FileJob, type SavedFile } from './save.ts';

/** What is left to try, and what has to be said of it. Changed while a save goes on: what failed once is not tried again for its next file. */
export type Chances = { folders: readonly string[]; format: ClipFormat; notes: string[] };

const FOLDER_TROUBLE: Partial<Record<StudioError['code'], string>> = {
  'disk-full': 'The disk of the clips folder is full',
  'folder-not-writable': 'The clips folder could not be written to',
};

/**
 * Saves one file: in the next folder when one cannot be written to, and as it is (ts) when there is no ffmpeg to make another format.
 * Errors: as `saveFile`; when no folder is left, what the first one said.
 */
export async function saveWherePossible(job: Omit<FileJob, 'folder' | 'format'>, chances: Chances): Promise<SavedFile> {
  let firstTrouble: StudioError | undefined;
  for (;;) {
    const folder = chances.folders[0];
    if (folder === undefined) throw firstTrouble ?? new Error('no folder to save to');
    // a stream copy that is no mp4 begins with the keyframe
    const start = chances.format === 'ts' ? null : job.start;
    try {
      return await saveFile({ ...job, start, folder, format: chances.format });
    } catch (thrown) {
      if (!(thrown instanceof StudioError)) throw thrown;
      const trouble = FOLDER_TROUBLE[thrown.code];
      if (thrown.code === 'ffmpeg-missing' && chances.format !== 'ts') {
        chances.notes.push(
          `ffmpeg could not be run, so the replay was saved as it is, as .ts instead of .${chances.format}.`,
        );
        chances.format = 'ts';
      } else if (trouble !== undefined) {
        firstTrouble ??= thrown;
        chances.folders = chances.folders.slice(1);
        const next = chances.folders[0];
        if (next === undefined) throw firstTrouble;
        chances.notes.push(`${trouble}, so the clip was saved to ${next}.`);
      } else throw thrown;
    }
  }
}
