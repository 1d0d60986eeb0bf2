import { chmod, lstat, rm } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import net from 'node:net';
import process from 'node:process';
import { StudioError } from '../../../contract/errors.ts';
import { runToEnd } from '../process/child.ts';

/** sun_path holds 108 bytes on Linux and 104 on macOS and the BSDs, the closing zero included. */
const MAX_SOCKET_PATH_BYTES = 103;

/** What to do about what already lies at a pipe's path. */
type Found = 'nothing' | 'ours' | 'in-the-way';

/** Only a FIFO (or socket) of this user is taken for one that a dead studio left; everything else stays untouched. */
function judge(found: Stats | undefined, kind: 'fifo' | 'socket', uid: number | undefined): Found {
  if (!found) return 'nothing';
  const right = kind === 'fifo' ? found.isFIFO() : found.isSocket();
  return right && found.uid === uid ? 'ours' : 'in-the-way';
}

const look = async (file: string): Promise<Stats | undefined> =>
  lstat(file).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });

const inTheWay = (file: string): StudioError =>
  new StudioError(
    'conflict',
    `Something else lies where Pitwall's pipe belongs: ${file}`,
    'It may be a recording that OBS wrote while Pitwall was not running. Move it away, then try again.',
  );

/**
 * A FIFO at `file`, mode 0600. One that a dead studio left is used again, not replaced: a program may be waiting in it, and only a
 * reader of that very FIFO sets it free. Errors: `conflict` when something else is there, `not-supported` when none can be made.
 */
export async function claimFifo(file: string): Promise<void> {
  const found = judge(await look(file), 'fifo', process.getuid?.());
  if (found === 'in-the-way') throw inTheWay(file);
  if (found === 'nothing') {
    await makeFifo(file).catch((cause: unknown) => {
      throw new StudioError('not-supported', `No pipe could be made at ${file}.`, 'Use the socket beside it instead.', {
        cause,
      });
    });
  }
  await chmod(file, 0o600);
}

/** Node has no mkfifo(3). */
async function makeFifo(file: string): Promise<void> {
  const { code, stderr } = await runToEnd('mkfifo', ['-m', '600', '--', file], { timeoutMs: 5000 });
  if (code !== 0) throw new Error(stderr.join(' '));
}

/**
 * Frees `file` for a unix socket: removes one of ours that nobody listens on. Errors: `conflict` when something else is there or a
 * program listens, `not-supported` when the path is too long for a socket.
 */
export async function claimSocketPath(file: string): Promise<void> {
  if (Buffer.byteLength(file) > MAX_SOCKET_PATH_BYTES) {
    throw new StudioError(
      'not-supported',
      `The path ${file} is too long for a socket.`,
      'Use the pipe beside it, or a shorter data folder.',
    );
  }
  const found = judge(await look(file), 'socket', process.getuid?.());
  if (found === 'in-the-way') throw inTheWay(file);
  if (found === 'nothing') return;
  if (await isAnswered(file)) {
    throw new StudioError('conflict', `Another program listens at ${file}.`, 'End it, then try again.');
  }
  await rm(file, { force: true });
}

async function isAnswered(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(file);
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1000, () => settle(true));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

/** Removes a pipe of ours at the end; never anything else. */
export async function discard(file: string, kind: 'fifo' | 'socket'): Promise<void> {
  const found = await look(file).catch(() => undefined);
  if (judge(found, kind, process.getuid?.()) === 'ours') await rm(file, { force: true });
}
