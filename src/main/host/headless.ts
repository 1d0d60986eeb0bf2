import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { StudioError } from '../../contract/errors.ts';
import type { Host } from '../engine/host.ts';
import { forkNode } from './headless-fork.ts';
import { notify, openFolder, revealFile } from './headless-open.ts';
import { createX11Hotkeys } from './x11-hotkeys.ts';
import type { Log, X11Hotkeys } from './x11-hotkeys.ts';

export interface HeadlessHost extends Host {
  /** Lets go of the hotkeys and of the connection to the X server, which otherwise keeps the process alive. */
  close(): Promise<void>;
}

/**
 * The host of plain Node: the UI is a browser, hotkeys are X11's where `display` can be reached. Never rejects for want of a display.
 */
export async function createHeadlessHost({
  display,
  log,
}: {
  display: string | undefined;
  log: Log;
}): Promise<HeadlessHost> {
  const hotkeys = display === undefined || display === '' ? null : await connectHotkeys(display, log);
  const env = { ...process.env, ...(display === undefined ? {} : { DISPLAY: display }) };
  return {
    shell: 'browser',
    hotkeys,
    openFolder: (folder) => openFolder(folder, env),
    revealFile: (file) => revealFile(file, env),
    notify: (title, body) => notify(title, body, env),
    moveToTrash,
    forkNode,
    close: async () => hotkeys?.close(),
  };
}

async function connectHotkeys(display: string, log: Log): Promise<X11Hotkeys | null> {
  try {
    return await createX11Hotkeys(display, log);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log('warn', `No hotkeys: ${reason}`);
    return null;
  }
}

/** Moves a file to the trash. Errors: `StudioError` `not-found` if there is no such file, `not-supported` where it stays. */
async function moveToTrash(file: string): Promise<void> {
  const path = resolve(file);
  // The package takes a missing file for done.
  await lstat(path).catch((cause: unknown) => {
    throw new StudioError('not-found', 'The file is no longer there.', 'Nothing needs to be done.', { cause });
  });
  try {
    // Loaded when first needed. Names are taken as they are: a clip's title may hold [ ] and *.
    const { default: trash } = await import('trash');
    await trash(path, { glob: false });
  } catch (cause) {
    throw new StudioError(
      'not-supported',
      'The file could not be moved to the trash and stays where it is.',
      `Delete it yourself: ${path}`,
      { cause },
    );
  }
}
