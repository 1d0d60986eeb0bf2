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
