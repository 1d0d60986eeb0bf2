import { spawn } from 'node:child_process';
import { endChild } from './xvfb.ts';

/** A window of a program of its own, which may be stopped and continued. */
export type ProgramWindow = {
  readonly pid: number;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  stop(): Promise<void>;
};

/**
 * Starts ffplay (an SDL window: it says its process and answers pings, as games with SDL do) on a lavfi picture such as
 * `testsrc2=size=640x360:rate=30` or `color=c=navy:size=640x360:rate=30`.
 */
export function startProgramWindow(options: { display: string; title: string; picture: string }): ProgramWindow {
  const { display, title, picture } = options;
  const args = [
    '-hide_banner',
    '-loglevel',
    'error',
    '-nostats',
    '-an',
    '-window_title',
    title,
    '-f',
    'lavfi',
    picture,
  ];
  const child = spawn('ffplay', args, {
    env: { ...process.env, DISPLAY: display, SDL_VIDEODRIVER: 'x11', SDL_RENDER_DRIVER: 'software' },
    stdio: 'ignore',
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('ffplay did not start');
  return {
    pid,
    signal: (name) => void process.kill(pid, name),
    async stop() {
      // a stopped program does not take SIGTERM
      if (child.exitCode === null && child.signalCode === null) process.kill(pid, 'SIGCONT');
      await endChild(child);
    },
  };
}
