import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Lets everything else on the computer go first. Call it right after the start: threads inherit it. */
export function yieldToOthers(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    os.setPriority(pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // it ended already
  }
}

/** What a process's priority was set to; `refused` when this user may not raise it as far as wanted. */
export type Raised = { nice: number; refused: boolean };

/**
 * How far up a capture goes. -10 gives it nine times the weight of a program at 0 (Linux, sched(7) and kernel/sched/core.c), so that it gets the
 * half core it needs while a game takes all it can get. Not the seed's -20: that is 87 times, and an encoder that cannot keep up would stop the
 * game and the desktop with it. On Windows -7 is "above normal"; "high" competes with the system's own input and sound.
 */
const wantedNice = (platform: NodeJS.Platform): number =>
  platform === 'win32' ? os.constants.priority.PRIORITY_ABOVE_NORMAL : -10;

/** The lowest nice value an unprivileged Linux user may set: 20 - RLIMIT_NICE (getrlimit(2)); undefined where unknown or not below 0. */
export function allowedNice(limits: string): number | undefined {
  const soft = /^Max nice priority\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined) return undefined;
  const nice = soft === 'unlimited' ? -20 : Math.max(-20, 20 - Number(soft));
  return nice < 0 ? nice : undefined;
}

/**
 * Raises a process's priority as far as this user's rights go; root is never asked for. Call it right after the start: threads inherit it.
 * Answers what was achieved, undefined when the process has ended already.
 */
export function raise(pid: number | undefined, platform: NodeJS.Platform = process.platform): Raised | undefined {
  if (pid === undefined) return undefined;
  const wanted = wantedNice(platform);
  const limit = platform === 'linux' ? allowedNice(ownLimits()) : undefined;
  const steps = [wanted, ...(limit === undefined || limit <= wanted ? [] : [limit])];
  try {
    for (const nice of steps) if (trySet(pid, nice)) return { nice, refused: nice !== wanted };
    return { nice: os.getPriority(pid), refused: true };
  } catch {
    return undefined;
  }
}

/** A sentence part for people: what `raise` achieved. */
export function describePriority({ nice, refused }: Raised, platform: NodeJS.Platform = process.platform): string {
  const level =
    platform === 'win32' ? (nice < 0 ? 'above normal' : 'normal') : nice < 0 ? `raised (nice ${nice})` : 'normal';
  return refused ? `${level}: this user may not raise it ${nice < 0 ? 'further' : ''}`.trimEnd() : level;
}

function trySet(pid: number, nice: number): boolean {
  try {
    os.setPriority(pid, nice);
    return true;
  } catch {
    return false;
  }
}

function ownLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
