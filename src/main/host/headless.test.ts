import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startXvfb } from '../../../test/support/xvfb.ts';
import type { Xvfb } from '../../../test/support/xvfb.ts';
import { forkNode } from './headless-fork.ts';
import { openCommand, revealCommand } from './headless-open.ts';
import { createHeadlessHost } from './headless.ts';
import type { HeadlessHost } from './headless.ts';

const run = promisify(execFile);
const quiet = (): undefined => undefined;

let folder: string;
const before = { ...process.env };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pitwall-host-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => {
  for (const name of ['PATH', 'WAYLAND_DISPLAY']) process.env[name] = before[name] ?? '';
});

describe('hotkeys of the headless host', () => {
  let server: Xvfb;
  let host: HeadlessHost | undefined;
  beforeAll(async () => {
    server = await startXvfb({ width: 320, height: 240 });
  });
  afterEach(() => host?.close());
  afterAll(() => server.stop());

  it('are heard, once per press, until released', async () => {
    host = await createHeadlessHost({ display: server.display, log: quiet });
    let presses = 0;
    const registered = await host.hotkeys?.register('Control+F9', () => presses++);
    const press = (): Promise<unknown> =>
      run('xdotool', ['key', 'ctrl+F9'], { env: { ...process.env, DISPLAY: server.display }, timeout: 5000 });
    await press();
    await expect.poll(() => presses, { timeout: 3000, interval: 20 }).toBe(1);
    await registered?.release();
    await press();
    await host.hotkeys?.register('F8', () => undefined);
    expect(presses).toBe(1);
  });

  it('say when another program holds the key, and what is no key', async () => {
    host = await createHeadlessHost({ display: server.display, log: quiet });
    const other = await createHeadlessHost({ display: server.display, log: quiet });
    try {
      await other.hotkeys?.register('F9', () => undefined);
      await expect(host.hotkeys?.register('F9', () => undefined)).rejects.toMatchObject({
        code: 'hotkey-unavailable',
        message: 'The key F9 is used by another program.',
      });
      await expect(host.hotkeys?.register('F99', () => undefined)).rejects.toMatchObject({
        code: 'hotkey-unavailable',
      });
    } finally {
      await other.close();
    }
  });

  it('are none, with a warning, where the display cannot be reached, and none without a display', async () => {
    const warnings: string[] = [];
    host = await createHeadlessHost({
      display: ':4711',
      log: (level, message) => warnings.push(`${level} ${message}`),
    });
    expect(host.hotkeys).toBeNull();
    expect(warnings).toEqual([expect.stringMatching(/^warn No hotkeys: .*:4711/)]);
    expect((await createHeadlessHost({ display: undefined, log: quiet })).hotkeys).toBeNull();
  });

  it('survive a lost X server: one warning, a clear refusal', async () => {
    const first = await startXvfb({ width: 320, height: 240 });
    const warnings: string[] = [];
    const lonely = await createHeadlessHost({ display: first.display, log: (_, message) => warnings.push(message) });
    const registered = await lonely.hotkeys?.register('F9', () => undefined);
    process.kill(first.pid, 'SIGKILL');
    await first.stop();
    await expect.poll(() => warnings.length, { timeout: 3000, interval: 20 }).toBe(1);
    await expect(lonely.hotkeys?.register('F9', () => undefined)).rejects.toMatchObject({ code: 'hotkey-unavailable' });
    await expect(registered?.release()).resolves.toBeUndefined();
    await lonely.close();
  });
});

describe('opening folders', () => {
  it('uses the platform’s own command, with the path as one argument', () => {
    expect(openCommand('linux', '/clips of me')).toMatchObject({ file: 'xdg-open', args: ['/clips of me'] });
    expect(revealCommand('linux', '/clips/a.mp4')).toMatchObject({ file: 'xdg-open', args: ['/clips'] });
    expect(revealCommand('darwin', '/clips/a.mp4')).toMatchObject({ file: 'open', args: ['-R', '/clips/a.mp4'] });
    expect(openCommand('win32', 'C:\\clips')).toMatchObject({ file: 'explorer.exe', exitCodeCounts: false });
    expect(revealCommand('win32', 'C:\\clips\\a.mp4').args).toEqual(['/select,', 'C:\\clips\\a.mp4']);
  });

  it.runIf(process.platform === 'linux')('hands the folder over, and says so where that fails', async () => {
    const bin = join(folder, 'bin');
    const opened = join(folder, 'opened');
    await mkdir(bin);
    const opener = join(bin, 'xdg-open');
    await writeFile(opener, `#!/bin/sh\nprintf '%s' "$1" > '${opened}'\ntest "$1" != /nowhere\n`);
    await chmod(opener, 0o755);
    process.env['PATH'] = `${bin}:${before['PATH'] ?? ''}`;
    process.env['WAYLAND_DISPLAY'] = 'wayland-0';
    const host = await createHeadlessHost({ display: undefined, log: quiet });
    await host.openFolder('/clips [a]; rm');
    expect(await readFile(opened, 'utf8')).toBe('/clips [a]; rm');
    await host.revealFile('/clips/one two.mp4');
    expect(await readFile(opened, 'utf8')).toBe('/clips');
    await expect(host.openFolder('/nowhere')).rejects.toMatchObject({
      code: 'not-supported',
      remedy: 'It is /nowhere.',
    });
    process.env['PATH'] = join(folder, 'empty');
    const bare = await createHeadlessHost({ display: undefined, log: quiet });
    await expect(bare.openFolder('/clips')).rejects.toMatchObject({ code: 'not-supported' });
    expect(() => bare.notify('Saved', 'a <b> & c')).not.toThrow();
  });

  it.runIf(process.platform === 'linux')('does not start a text browser where there is no desktop', async () => {
    process.env['WAYLAND_DISPLAY'] = '';
    const host = await createHeadlessHost({ display: '', log: quiet });
    await expect(host.openFolder('/')).rejects.toMatchObject({ code: 'not-supported' });
  });
});

describe.runIf(process.platform === 'linux')('moveToTrash', () => {
  let host: HeadlessHost;
  const places: string[] = [];
  /** the user's trash, and that of a file system of its own (FreeDesktop.org Trash specification 1.0) */
  const trashes: string[] = [];
  beforeAll(async () => {
    // Read by the package when it is loaded, which is at the first file.
    process.env['XDG_DATA_HOME'] = join(folder, 'data');
    host = await createHeadlessHost({ display: undefined, log: quiet });
    await mkdir(join(folder, 'clips'));
    places.push(join(folder, 'clips'));
    trashes.push(join(folder, 'data', 'Trash'), `/dev/shm/.Trash-${process.getuid?.() ?? 0}`);
    const shared = await mkdtemp('/dev/shm/pitwall-').catch(() => undefined);
    if (shared !== undefined) places.push(shared);
  });
  afterAll(async () => {
    for (const place of places) await rm(place, { recursive: true, force: true });
  });

  it.each(['plain.mp4', 'Spa [wet] *.mp4', '!not.mp4', '日本 {a,b} ?.mp4', '-rf'])('moves exactly %s', async (name) => {
    for (const place of places) {
      const file = join(place, name);
      const neighbour = join(place, 'Spa w.mp4');
      await writeFile(file, name);
      await writeFile(neighbour, 'stays');
      await host.moveToTrash(file);
      await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
      expect(await readFile(neighbour, 'utf8')).toBe('stays');
      const kept = await trashedAs(file);
      expect(await readFile(kept.file, 'utf8')).toBe(name);
      await rm(kept.file);
      await rm(kept.info);
    }
  });

  async function trashedAs(file: string): Promise<{ file: string; info: string }> {
    for (const trash of trashes)
      for (const name of await readdir(join(trash, 'info')).catch(() => [])) {
        const info = join(trash, 'info', name);
        if ((await readFile(info, 'utf8')).includes(`Path=${encodeURI(file)}\n`))
          return { file: join(trash, 'files', name.replace(/\.trashinfo$/, '')), info };
      }
    throw new Error(`${file} is in no trash`);
  }

  it('says when the file is not there', async () => {
    await expect(host.moveToTrash(join(folder, 'clips', 'none.mp4'))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('forkNode', () => {
  async function script(name: string, text: string): Promise<string> {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  }
  type Seen = { lines: string[]; messages: unknown[]; exit: Promise<{ code: number | null; signal: string | null }> };
  function watch(child: ReturnType<typeof forkNode>): Seen {
    const seen: Omit<Seen, 'exit'> = { lines: [], messages: [] };
    child.onLine((line) => seen.lines.push(line));
    child.onMessage((message) => seen.messages.push(message));
    return { ...seen, exit: new Promise((resolve) => child.onExit(resolve)) };
  }

  it('carries messages both ways, and every line of output before the exit', async () => {
    const child = forkNode(
      await script(
        'echo.mjs',
        `process.on('message', (m) => { console.log('got ' + JSON.stringify(m)); console.error('warned');
           process.exitCode = 3;
           process.send({ back: m, args: process.argv.slice(2), exec: process.execArgv }, () => process.disconnect()); });`,
      ),
      ['a b', '--c'],
    );
    const seen = watch(child);
    child.postMessage({ hello: [1, 'ü'] });
    expect(await seen.exit).toEqual({ code: 3, signal: null });
    expect([...seen.lines].sort()).toEqual(['got {"hello":[1,"ü"]}', 'warned']);
    expect(seen.messages).toEqual([{ back: { hello: [1, 'ü'] }, args: ['a b', '--c'], exec: [] }]);
    expect(() => child.postMessage({ late: true })).not.toThrow();
    // Told again to who asks late.
    expect(await new Promise((resolve) => child.onExit(resolve))).toEqual({ code: 3, signal: null });
  });

  it('cuts lines without end', async () => {
    const child = forkNode(await script('long.mjs', `process.stdout.write('x'.repeat(1_000_000) + '\\nend\\n');`), []);
    const seen = watch(child);
    await seen.exit;
    expect(seen.lines.at(-1)).toBe('end');
    expect(Math.max(...seen.lines.map((line) => line.length))).toBeLessThanOrEqual(200_000);
  });

  it('ends a child, one that ignores being asked too', async () => {
    const text = `process.on('SIGTERM', () => console.log('asked')); setInterval(() => {}, 1000); console.log('ready');`;
    const child = forkNode(await script('stubborn.mjs', text), []);
    const seen = watch(child);
    await expect.poll(() => seen.lines, { timeout: 5000, interval: 20 }).toContain('ready');
    child.terminate();
    await expect.poll(() => seen.lines, { timeout: 5000, interval: 20 }).toContain('asked');
    child.kill();
    expect(await seen.exit).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('tells of a module that is not there', async () => {
    const seen = watch(forkNode(join(folder, 'missing.mjs'), []));
    expect(await seen.exit).toMatchObject({ code: 1 });
    expect(seen.lines.join('\n')).toContain('missing.mjs');
  });
});
