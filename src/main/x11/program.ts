import { readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** The kernel keeps 15 bytes of a program's name (proc(5), comm). */
const COMM_BYTES = 15;
/** Wine's own programs, which run the Windows one: `wine64-preloader`, `wine-preloader`, `wine64`. */
const WINE = /^wine(64)?(-preloader)?$/;
const MAX_ARGUMENTS = 4;

/**
 * Name of a running process (proc(5)). `comm` is what the program calls itself, which under Wine is the Windows program, but it is cut
 * at 15 bytes and some games rename their main thread ("GameThread"); so under Wine the `.exe` named in the arguments comes first, elsewhere the
 * executable if it begins the same. Undefined where it cannot be known.
 */
export async function programOf(pid: number, proc = '/proc', platform = process.platform): Promise<string | undefined> {
  if (platform !== 'linux') return undefined;
  const read = async (name: string): Promise<string> => readFile(join(proc, String(pid), name), 'utf8').catch(() => '');
  const [comm, cmdline, exe] = await Promise.all([
    read('comm').then((text) => text.trim()),
    read('cmdline'),
    readlink(join(proc, String(pid), 'exe')).then(
      (path) => basename(path.replace(/ \(deleted\)$/, '')),
      () => '',
    ),
  ]);
  if (WINE.test(exe)) {
    const windows = cmdline.split('\0', MAX_ARGUMENTS).find((argument) => /\.exe$/i.test(argument));
    if (windows !== undefined) return windows.replace(/^.*[\\/]/, '');
  }
  const name = comm === '' || (Buffer.byteLength(comm) >= COMM_BYTES && exe.startsWith(comm)) ? exe : comm;
  return name === '' ? undefined : name;
}
