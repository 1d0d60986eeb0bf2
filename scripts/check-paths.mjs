/** Whether something written for one machine got into the repository: a path below somebody's home or workplace. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from './lib/run.mjs';

const WORKPLACE = /(?<![\w.~*-])\/(?:root|work)\/\w/;
const HOME = /(?<![\w.~*-])(?:\/(?:home|Users)\/\w|[A-Z]:\\+Users\\+\w)/;
/** Tests have homes of sample users. */
const TEST = /^(?:test|e2e)\/|\.test\.\w+$/;
const TEXT = /\.(?:[cm]?[jt]sx?|json|ya?ml|md|html|css|sh)$|^\.ci\//;

/** @returns {Promise<string[]>} one line for each place */
export async function checkPaths() {
  const listed = await run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    timeoutMs: 30_000,
    output: 'capture',
  });
  // Without git (a source archive) there is nobody to tell.
  if (!listed.ok) return [];
  const files = listed.output.split('\0').filter((file) => TEXT.test(file) && file !== 'package-lock.json');
  return files.flatMap((file) => {
    const names = TEST.test(file) ? [WORKPLACE] : [WORKPLACE, HOME];
    return linesOf(file).flatMap((line, index) =>
      names.some((path) => path.test(line)) ? [`${file}:${index + 1} names a path of one machine`] : [],
    );
  });
}

/** @param {string} file */
function linesOf(file) {
  try {
    return readFileSync(join(ROOT, file), 'utf8').split('\n');
  } catch {
    return [];
  }
}
