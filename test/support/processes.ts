import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export type Found = { pid: number; command: string };

const read = (file: string): string => {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // it ended meanwhile
  }
};

/** The running processes (no zombies) whose environment holds `entry`, that is, every descendant of one started with it. */
export function processesWith(entry: string): Found[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(entry))
    .map((pid) => ({ pid: Number(pid), command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ command }) => command !== '');
}

export const isRunning = (pid: number): boolean => read(`/proc/${pid}/cmdline`) !== '';

export type Ran = { code: number | null; signal: NodeJS.Signals | null; stdout: Buffer; stderr: string };

/** Runs a program to its end. Errors: it cannot be started, or is still running after `timeoutMs` (then it is killed). */
export async function run(
  command: string,
  args: readonly string[],
  { timeoutMs = 30_000, input, env }: { timeoutMs?: number; input?: Uint8Array; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'pipe'], ...(env ? { env } : {}) });
  const stdout: Buffer[] = [];
  let bytes = 0;
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
    else stdout.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-200_000);
  });
  child.stdin.on('error', () => undefined); // it may end without reading all
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${command} was still running after ${timeoutMs} ms: ${stderr.slice(-1000)}`));
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: Buffer.concat(stdout), stderr });
    });
  });
}
