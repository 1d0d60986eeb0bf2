import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostMessage, type HostOrder } from '../../src/main/engine/rtmp/messages.ts';

/** The built RTMP host process by itself, without a studio. */
export interface RtmpHost {
  readonly port: number;
  readonly pid: number;
  readonly child: ChildProcess;
  /** what it told, newest last; peers and log lines */
  readonly told: HostMessage[];
  running(): boolean;
  /** resident memory, bytes (Linux) */
  memory(): number;
  kill(): Promise<void>;
}

/** Starts `out/main/rtmp-host.js` on a free port. Errors: when it ends before it listens. */
export async function startRtmpHost(keys: Partial<HostOrder> = {}): Promise<RtmpHost> {
  const child = fork(join(import.meta.dirname, '../../out/main/rtmp-host.js'), ['0'], {
    execArgv: [],
    stdio: 'inherit',
  });
  const told: HostMessage[] = [];
  const order: HostOrder = { type: 'access', publishKey: '', playKey: '', ownToken: 'own', liveKey: '', ...keys };
  child.send(order);
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (raw) => {
      const message = HostMessage.parse(raw);
      told.push(message);
      if (told.length > 1000) told.shift();
      if (message.type === 'listening') resolve(message.port);
    });
    child.once('exit', (code) => reject(new Error(`the RTMP host ended with ${String(code)}`)));
  });
  const { pid = 0 } = child;
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    port,
    pid,
    child,
    told,
    running,
    memory: () => residentBytes(pid),
    kill: async () => {
      if (!running()) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** Resident memory of a process, bytes; 0 when it is gone (Linux). */
export function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
