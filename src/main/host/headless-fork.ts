import { fork } from 'node:child_process';
import type { NodeChild } from '../engine/host.ts';
import { eachLine } from '../engine/process/lines.ts';

/** After the exit, how long to wait for the last of its output, ms: a grandchild may hold the pipes for ever. */
const LAST_OUTPUT_MS = 500;

type Exit = { code: number | null; signal: string | null };

/**
 * Starts a module with this Node and a JSON channel. A child that cannot be started exits with neither code nor signal. Output is always
 * read, so that a talkative child never blocks; lines longer than 16 KiB are cut.
 */
export function forkNode(modulePath: string, args: readonly string[]): NodeChild {
  const child = fork(modulePath, [...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
  const lines = new Set<(line: string) => void>();
  const exits = new Set<(exit: Exit) => void>();
  let exit: Exit | undefined;

  for (const stream of [child.stdout, child.stderr]) {
    if (stream)
      eachLine(stream, (line) => {
        for (const listener of lines) listener(line);
      });
  }
  const ended = (how: Exit): void => {
    if (exit) return;
    exit = how;
    for (const listener of exits) listener(how);
    exits.clear();
  };
  child.once('close', (code, signal) => ended({ code, signal }));
  child.once('exit', (code, signal) => {
    setTimeout(() => {
      ended({ code, signal });
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, LAST_OUTPUT_MS).unref();
  });
  child.on('error', () => {
    // A failed send is an exit that has not been told yet; a failed start is told here.
    if (child.pid === undefined) ended({ code: null, signal: null });
  });

  return {
    pid: child.pid,
    postMessage(message) {
      if (!isSendable(message)) throw new TypeError('A message to a child is a JSON value.');
      // A child that is going takes no more messages; its exit is told by onExit.
      if (child.connected) child.send(message, () => undefined);
    },
    onMessage(listener) {
      child.on('message', (message: unknown) => listener(message));
    },
    onLine(listener) {
      lines.add(listener);
    },
    onExit(listener) {
      const already = exit;
      if (already) queueMicrotask(() => listener(already));
      else exits.add(listener);
    },
    terminate: () => void child.kill('SIGTERM'),
    kill: () => void child.kill('SIGKILL'),
  };
}

function isSendable(message: unknown): message is object | string | number | boolean {
  return ['object', 'string', 'number', 'boolean'].includes(typeof message) && message !== null;
}
