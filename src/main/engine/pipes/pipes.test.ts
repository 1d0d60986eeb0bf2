import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, constants, existsSync, lstatSync, mkdirSync, mkdtempSync, openSync, closeSync } from 'node:fs';
import { readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../test/support/wait.ts';
import { claimFifo, claimSocketPath, discard } from './claim.ts';
import { PipeInlet } from './inlet.ts';
import { OneSender } from './owner.ts';
import { PipePlace, addressesOf, choosePlace, type Place } from './place.ts';

function tempFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pitwall-pipes-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const modeOf = (file: string): number => lstatSync(file).mode & 0o777;

const log = pino({ enabled: false });
const clock = (): number => performance.now() / 1000;

describe('where the pipes are', () => {
  const yes = (): boolean => true;

  it('follows the system', () => {
    expect(addressesOf(choosePlace({}, 'win32', 'C:\\data'), 'name')).toEqual({ socket: '\\\\.\\pipe\\name' });
    const runtime = choosePlace({ XDG_RUNTIME_DIR: '/run/user/7' }, 'linux', '/data', yes);
    expect(runtime).toEqual({ kind: 'folder', folder: '/run/user/7/pitwall', shared: true });
    expect(addressesOf(runtime, 'name')).toEqual({
      fifo: '/run/user/7/pitwall/name',
      socket: '/run/user/7/pitwall/name.sock',
    });
  });

  type Case = [why: string, env: NodeJS.ProcessEnv, isOurs: () => boolean];
  it.each<Case>([
    ['unset', {}, yes],
    ['empty', { XDG_RUNTIME_DIR: '' }, yes],
    ['relative, which the XDG rules forbid', { XDG_RUNTIME_DIR: 'run' }, yes],
    ["another user's, or not there", { XDG_RUNTIME_DIR: '/run/user/7' }, () => false],
  ])('is the data folder when XDG_RUNTIME_DIR is %s', (_, env, isOurs) => {
    expect(choosePlace(env, 'linux', '/data', isOurs)).toEqual({ kind: 'folder', folder: '/data', shared: false });
  });

  it('looks whether the runtime folder is there', () => {
    const folder = tempFolder();
    const of = (dir: string): Place => choosePlace({ XDG_RUNTIME_DIR: dir }, 'linux', '/data');
    expect(of(folder)).toMatchObject({ folder: path.join(folder, 'pitwall') });
    expect(of(path.join(folder, 'missing'))).toMatchObject({ folder: '/data' });
    writeFileSync(path.join(folder, 'file'), '');
    expect(of(path.join(folder, 'file'))).toMatchObject({ folder: '/data' });
  });

  it('is private, and one studio holds it at a time', async () => {
    const folder = path.join(tempFolder(), 'pitwall');
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    const place = { kind: 'folder', folder, shared: true } as const;
    const [first, second] = [new PipePlace(place), new PipePlace(place)];
    await first.open();
    await first.open();
    expect(modeOf(folder)).toBe(0o700);
    await expect(second.open()).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(second.open()).rejects.toThrow(`process ${process.pid})`);
    await first.close();
    expect(existsSync(folder)).toBe(false);
    await second.open();
    expect(readdirSync(folder)).toEqual(['lock']);
    await second.close();
  });

  it('is no symbolic link and no file', async () => {
    const folder = tempFolder();
    symlinkSync(os.tmpdir(), path.join(folder, 'link'));
    writeFileSync(path.join(folder, 'file'), 'x');
    for (const name of ['link', 'file']) {
      const place = new PipePlace({ kind: 'folder', folder: path.join(folder, name), shared: true });
      await expect(place.open()).rejects.toMatchObject({ code: 'folder-not-writable' });
    }
    expect(readFileSync(path.join(folder, 'file'), 'utf8')).toBe('x');
  });
});

describe('what lies where a pipe belongs', () => {
  it('makes a FIFO that is ours alone, and uses one again that a dead studio left', async () => {
    const file = path.join(tempFolder(), 'a pipe; $(false)');
    await claimFifo(file);
    expect(lstatSync(file).isFIFO()).toBe(true);
    expect(modeOf(file)).toBe(0o600);
    const { ino } = lstatSync(file);
    chmodSync(file, 0o666);
    await claimFifo(file);
    expect(lstatSync(file).ino).toBe(ino);
    expect(modeOf(file)).toBe(0o600);
    await discard(file, 'fifo');
    expect(existsSync(file)).toBe(false);
  });

  it('never touches what is not a pipe of ours', async () => {
    const folder = tempFolder();
    const file = path.join(folder, 'recording');
    writeFileSync(file, 'media');
    const link = path.join(folder, 'link');
    symlinkSync(file, link);
    for (const taken of [file, link, folder]) {
      await expect(claimFifo(taken)).rejects.toMatchObject({ code: 'conflict' });
      await expect(claimSocketPath(taken)).rejects.toMatchObject({ code: 'conflict' });
      await discard(taken, 'fifo');
      await discard(taken, 'socket');
    }
    expect(readFileSync(file, 'utf8')).toBe('media');
    const fifo = path.join(folder, 'fifo');
    await claimFifo(fifo);
    await expect(claimSocketPath(fifo)).rejects.toMatchObject({ code: 'conflict' });
    await expect(claimFifo(path.join(folder, 'missing', 'fifo'))).rejects.toMatchObject({ code: 'not-supported' });
  });

  it('replaces the socket of a dead program, not that of a living one', async () => {
    const file = path.join(tempFolder(), 'socket');
    await claimSocketPath(file);
    const script = `require('net').createServer().listen(${JSON.stringify(file)}, () => console.log('up'))`;
    const other = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void other.kill('SIGKILL'));
    await once(other.stdout, 'data');
    await expect(claimSocketPath(file)).rejects.toMatchObject({ code: 'conflict' });
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(lstatSync(file).isSocket()).toBe(true);
    await claimSocketPath(file);
    expect(existsSync(file)).toBe(false);
  });

  it('says when a path is too long for a socket', async () => {
    await expect(claimSocketPath(path.join('/tmp', 'x'.repeat(100)))).rejects.toMatchObject({ code: 'not-supported' });
  });
});

describe('several senders', () => {
  const said: string[] = [];
  const sink = {
    begin: () => void said.push('begin'),
    data: (chunk: Uint8Array) => void said.push(String.fromCharCode(...chunk)),
    end: () => void said.push('end'),
  };
  const heard = (): string => said.splice(0).join(' ');
  const bytes = (text: string): Uint8Array => Buffer.from(text);

  it('are never mixed: the first owns the input until it is gone', () => {
    const input = new OneSender(() => 5);
    let refused = 0;
    const [a, b] = [{ refuse: () => (refused += 1) }, { refuse: () => (refused += 1) }];
    input.receive(a, bytes('lost'));
    const detach = input.attach(sink);
    expect(() => input.attach(sink)).toThrow();
    input.receive(a, bytes('1'));
    expect(input.refusedAt).toBeUndefined();
    input.receive(b, bytes('x'));
    expect([refused, input.refusedAt]).toEqual([1, 5]);
    input.gone(b);
    input.receive(a, bytes('2'));
    input.gone(a);
    input.gone(a);
    input.receive(b, bytes('3'));
    expect(heard()).toBe('begin 1 2 end begin 3');
    detach();
    input.receive(b, bytes('y'));
    const again = input.attach(sink);
    input.receive(b, bytes('4'));
    again();
    input.gone(b);
    expect(heard()).toBe('begin 4');
    expect(refused).toBe(1);
  });
});

describe('the inlet', () => {
  async function openInlet(folder = tempFolder()) {
    const place = new PipePlace({ kind: 'folder', folder: path.join(folder, 'pitwall'), shared: true });
    const inlet = new PipeInlet({ place, name: 'in', log, clock });
    const close = async (): Promise<void> => {
      await inlet.close();
      await place.close();
    };
    onTestFinished(async () => {
      await close();
    });
    await inlet.listen();
    await inlet.listen();
    const { fifo, socket } = inlet.addresses;
    if (fifo === undefined) throw new Error('no FIFO');
    const state = { begun: 0, ended: 0, bytes: 0, text: '' };
    const detach = inlet.attach({
      begin: () => (state.begun += 1),
      data: (chunk) => {
        state.bytes += chunk.length;
        if (state.bytes < 1000) state.text += Buffer.from(chunk).toString('latin1');
      },
      end: () => (state.ended += 1),
    });
    return { inlet, fifo, socket, state, detach, close };
  }

  /** A blocking writer, as OBS is one: `open` waits for a reader. */
  function writer(file: string, script = 'cat'): ReturnType<typeof spawn> & { stdin: NodeJS.WritableStream } {
    const child = spawn('sh', ['-c', `exec >"$1"; ${script}`, 'sh', file], { stdio: ['pipe', 'ignore', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  }

  it('sees every writer of the FIFO come and go, as often as they like', async () => {
    const { fifo, socket, state } = await openInlet();
    expect([modeOf(fifo), modeOf(socket)]).toEqual([0o600, 0o600]);
    for (let i = 1; i <= 20; i++) {
      const child = writer(fifo, `printf '%s;' ${i}`);
      await once(child, 'exit');
      await until('its end', 2000, () => state.ended === i);
    }
    expect(state.text).toBe(Array.from({ length: 20 }, (_, i) => `${i + 1};`).join(''));
    expect(state.begun).toBe(20);
  });

  it('does not spin while nobody writes, before and after a writer', async () => {
    const { fifo, state } = await openInlet();
    for (const round of [0, 1]) {
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1000, `ms of processor time in 300 ms, round ${round}`).toBeLessThan(100);
      await once(writer(fifo, 'printf x'), 'exit');
      await until('its end', 2000, () => state.ended === round + 1);
    }
  });

  it('takes a hundred megabytes without a pause and without losing one', async () => {
    const { fifo, socket, state } = await openInlet();
    const size = 100 * 1024 * 1024;
    await once(writer(fifo, `head -c ${size} /dev/zero`), 'exit');
    await until('its end', 5000, () => state.ended === 1);
    expect(state.bytes).toBe(size);
    const client = net.connect(socket);
    client.end(Buffer.alloc(size));
    await once(client, 'close');
    await until('its end', 5000, () => state.ended === 2);
    expect(state.bytes).toBe(2 * size);
  });

  it('reads and drops when nobody is attached, so that a writer never waits', async () => {
    const { fifo, state, detach } = await openInlet();
    detach();
    await once(writer(fifo, 'head -c 10000000 /dev/zero'), 'exit');
    expect(state).toMatchObject({ begun: 0, bytes: 0 });
  });

  it('sends a second connection away and leaves the first alone', async () => {
    const { inlet, fifo, socket, state } = await openInlet();
    const first = net.connect(socket);
    onTestFinished(() => void first.destroy());
    first.write('a');
    await until('the first byte', 2000, () => state.text === 'a');
    const second = net.connect(socket);
    second.on('error', () => undefined);
    second.write('x');
    await once(second, 'close');
    const child = writer(fifo, 'printf y; cat');
    await until('the refusal of the FIFO', 2000, () => (inlet.refusedAt ?? 0) > 0);
    first.write('b');
    await until('the second byte', 2000, () => state.text === 'ab');
    first.end();
    await until('the end of the first', 2000, () => state.ended === 1);
    child.stdin.write('c');
    await until('the FIFO to take over', 2000, () => state.text.startsWith('ab') && state.text.endsWith('c'));
    expect(state.begun).toBe(2);
  });

  it('frees a writer that waits in a FIFO which a killed studio left', async () => {
    const folder = tempFolder();
    mkdirSync(path.join(folder, 'pitwall'), { mode: 0o700 });
    const left = path.join(folder, 'pitwall', 'in');
    await claimFifo(left);
    const waiting = writer(left, 'printf free');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(waiting.exitCode).toBeNull();
    const exited = once(waiting, 'exit');
    await openInlet(folder);
    expect((await exited)[0]).toBe(0);
  });

  it('ends its writers and leaves nothing when it closes', async () => {
    const { fifo, socket, state, close } = await openInlet();
    const busy = writer(fifo, 'cat /dev/zero');
    const client = net.connect(socket);
    await Promise.all([once(client, 'connect'), until('bytes', 2000, () => state.bytes > 100_000)]);
    const gone = Promise.all([once(busy, 'exit'), once(client, 'close')]);
    await close();
    await gone;
    expect(existsSync(path.dirname(fifo))).toBe(false);
    expect(() => closeSync(openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK))).toThrow(/ENOENT/);
  });

  it('says what is in the way when neither can be opened, and works once it is gone', async () => {
    const folder = tempFolder();
    const pitwall = path.join(folder, 'pitwall');
    mkdirSync(pitwall, { mode: 0o700 });
    for (const name of ['in', 'in.sock']) writeFileSync(path.join(pitwall, name), 'a recording');
    const place = new PipePlace({ kind: 'folder', folder: pitwall, shared: true });
    const inlet = new PipeInlet({ place, name: 'in', log, clock });
    await expect(inlet.listen()).rejects.toMatchObject({ code: 'conflict' });
    expect(readFileSync(path.join(pitwall, 'in'), 'utf8')).toBe('a recording');
    rmSync(path.join(pitwall, 'in'));
    await inlet.listen();
    expect(lstatSync(path.join(pitwall, 'in')).isFIFO()).toBe(true);
    expect(inlet.url).toBe(path.join(pitwall, 'in'));
    expect(inlet.trouble).toMatchObject({ code: 'conflict' });
    await inlet.close();
    await place.close();
    expect(readdirSync(pitwall)).toEqual(['in.sock']);
  });
});
