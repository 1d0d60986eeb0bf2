import { execFile, spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { StudioError } from '../../contract/errors.ts';

/** An opener that has not failed by then is showing the folder. */
const OPENED_MS = 3000;
const NOTIFIED_MS = 5000;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** whether an exit code other than 0 is a failure: explorer.exe answers 1 for success */
  readonly exitCodeCounts: boolean;
}

/** What shows a folder in the platform's file manager. `folder` must be absolute: xdg-open has no end-of-options mark. */
export function openCommand(platform: NodeJS.Platform, folder: string): Command {
  switch (platform) {
    case 'win32':
      return { file: 'explorer.exe', args: [folder], exitCodeCounts: false };
    case 'darwin':
      return { file: 'open', args: [folder], exitCodeCounts: true };
    default:
      return { file: 'xdg-open', args: [folder], exitCodeCounts: true };
  }
}

/** What shows a file in its folder; where no command can select it, the folder alone. */
export function revealCommand(platform: NodeJS.Platform, file: string): Command {
  switch (platform) {
    case 'win32':
      return { file: 'explorer.exe', args: ['/select,', file], exitCodeCounts: false };
    case 'darwin':
      return { file: 'open', args: ['-R', file], exitCodeCounts: true };
    default:
      return openCommand(platform, dirname(file));
  }
}

/** Shows a folder. Errors: `StudioError` `not-supported`. */
export const openFolder = (folder: string, env: NodeJS.ProcessEnv): Promise<void> =>
  show(openCommand(process.platform, resolve(folder)), folder, env);

/** Shows a file in its folder. Errors: `StudioError` `not-supported`. */
export const revealFile = (file: string, env: NodeJS.ProcessEnv): Promise<void> =>
  show(revealCommand(process.platform, resolve(file)), file, env);

/** A notification where `notify-send` exists; everywhere else, and on any failure, nothing. */
export function notify(title: string, body: string, env: NodeJS.ProcessEnv): void {
  if (process.platform === 'win32' || process.platform === 'darwin' || !hasDesktop(env)) return;
  // The body is markup (Desktop Notifications Specification), the title is not.
  const markup = body.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? sign);
  execFile('notify-send', ['--app-name=Pitwall', '--', title, markup], { env, timeout: NOTIFIED_MS }, () => undefined);
}

/** Without a display xdg-open would start a text browser that nobody sees. */
function hasDesktop(env: NodeJS.ProcessEnv): boolean {
  return (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '';
}

async function show(command: Command, path: string, env: NodeJS.ProcessEnv): Promise<void> {
  const failed = (cause?: unknown): StudioError =>
    new StudioError('not-supported', 'No file manager could be opened here.', `It is ${resolve(path)}.`, { cause });
  if (command.file === 'xdg-open' && !hasDesktop(env)) throw failed();
  await new Promise<void>((done, reject) => {
    const child = spawn(command.file, command.args, { stdio: 'ignore', detached: true, env });
    const timer = setTimeout(() => {
      child.removeAllListeners('exit');
      child.unref();
      done();
    }, OPENED_MS);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(failed(error));
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      if (code === 0 || !command.exitCodeCounts) done();
      else reject(failed(new Error(`${command.file} ended with ${String(code ?? signal)}`)));
    });
  });
}
