/** Looking for programs without starting them. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const WINDOWS = process.platform === 'win32';

/** @param {string} file */
export function isProgram(file) {
  try {
    accessSync(file, WINDOWS ? constants.F_OK : constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * The file a name stands for on PATH, or undefined. Some distributions' users have no sbin on PATH, hence `alsoIn`.
 * @param {string} name
 * @param {readonly string[]} [alsoIn] folders looked into last
 */
export function which(name, alsoIn = []) {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...folders, ...alsoIn]) {
    for (const ending of WINDOWS ? ['.exe', '.cmd', '.bat'] : ['']) {
      const file = join(folder, name + ending);
      if (isProgram(file)) return file;
    }
  }
  return undefined;
}
