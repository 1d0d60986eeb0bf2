import { readdir, readFile } from 'node:fs/promises';

/** Linux tells processor time in hundredths of a second, whatever the kernel's own tick (USER_HZ, proc(5)). */
const TICKS_PER_SECOND = 100;

export type ProcessEntry = {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly seconds: number;
};

async function readEntry(pid: number): Promise<ProcessEntry | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // the command may hold spaces and brackets itself; fields 4 (ppid), 14 (utime) and 15 (stime) follow its end
    const close = text.lastIndexOf(')');
    const rest = text.slice(close + 2).split(' ');
    const ticks = Number(rest[11]) + Number(rest[12]);
    return {
      pid,
      parent: Number(rest[1]),
      command: text.slice(text.indexOf('(') + 1, close),
      seconds: ticks / TICKS_PER_SECOND,
    };
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** Processor time used so far by a process and all that descend from it, by process id. Linux only. */
export async function processorTime(root: number): Promise<Map<number, ProcessEntry>> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  const entries = (await Promise.all(pids.map(readEntry))).filter((entry) => entry !== undefined);
  const family = new Map<number, ProcessEntry>();
  const add = (pid: number): void => {
    for (const entry of entries) {
      if (entry.pid === pid) family.set(pid, entry);
      if (entry.parent === pid) add(entry.pid);
    }
  };
  add(root);
  return family;
}

export type Usage = { readonly pid: number; readonly command: string; readonly percent: number };

/** What each process of a family used between two readings `seconds` apart, percent of one core. */
export function usage(before: Map<number, ProcessEntry>, after: Map<number, ProcessEntry>, seconds: number): Usage[] {
  return [...after.values()].map(({ pid, command, seconds: used }) => ({
    pid,
    command,
    percent: (100 * (used - (before.get(pid)?.seconds ?? 0))) / seconds,
  }));
}
