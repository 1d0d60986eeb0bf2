import type { SaveJob } from '../../contract/replay.ts';
import { span } from '../words/format.ts';

/** What is being saved and how far it is; several saves are told as one. */
export function progressWords(saves: readonly SaveJob[]): string {
  const total = (of: (job: SaveJob) => number): number => saves.reduce((sum, job) => sum + of(job), 0);
  const expected = total((job) => job.bytesExpected);
  const percent = expected > 0 ? Math.floor((100 * total((job) => job.bytesWritten)) / expected) : 0;
  const [first] = saves;
  if (!first) return '';
  const what = saves.length === 1 ? span(first.askedSeconds) : `${saves.length} clips`;
  if (saves.every(({ stage }) => stage === 'checking')) return `Checking the file of ${what}`;
  return `Saving ${what}, ${Math.min(100, percent)} %`;
}
