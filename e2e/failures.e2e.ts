import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { expectCleanClip } from '../test/support/media.ts';
import { run } from '../test/support/processes.ts';
import {
  type Answer,
  ProblemDocument,
  type RunningStudio,
  runStudio,
  scratch,
  sentences,
  startStudio,
} from '../test/support/studio.ts';
import { until, within } from '../test/support/wait.ts';
import { startWindow, startXvfb, type Xvfb } from '../test/support/xvfb.ts';

/** A refusal as the interface says it: this status, this code, a sentence and a remedy. */
function expectProblem(answer: Answer, status: number, code: string): { title: string; detail: string } {
  expect({ status: answer.status, type: answer.headers.get('content-type') }, JSON.stringify(answer.body)).toEqual({
    status,
    type: 'application/problem+json; charset=utf-8',
  });
  const problem = ProblemDocument.parse(answer.body);
  expect(problem).toMatchObject({ status, code, type: `urn:pitwall:${code}` });
  return problem;
}

/** A folder for a test's own things. */
function ownFolder(): string {
  const place = scratch();
  onTestFinished(() => place.remove());
  return place.folder;
}

async function occupyPort(): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { port: address.port, server };
}

/** ffmpeg-static, where it is installed, must not step in for the ffmpeg that is taken away. */
const NO_STATIC = { FFMPEG_BIN: '/nonexistent/ffmpeg' };

async function withReplay(args: readonly string[] = []): Promise<RunningStudio> {
  const studio = await startStudio({ args: ['--source', 'test-pattern', '--start', ...args] });
  await studio.holds(2);
  return studio;
}

describe('bad usage ends with code 2 and one sentence', () => {
  test.each([
    ['an unknown source', ['--source', 'nonsense', '--start'], /^There is no source "nonsense"\./],
    ['no memory for the replay', ['--replay-mb', '0'], /^--replay-mb must be .*, not "0"\./],
    ['an unknown flag', ['--sauce'], /--sauce/],
    ['a port that is none', ['--port', '70000'], /^--port must be/],
    ['--start without a source', ['--start'], /^--start needs --source/],
  ])('%s', async (_, args, sentence) => {
    const { code, stderr } = await runStudio({ args });
    expect(code, stderr).toBe(2);
    expect(sentences(stderr)).toHaveLength(1);
    expect(sentences(stderr)[0]).toMatch(sentence);
  });

  test('the HTTP port is taken', async () => {
    const { port } = await occupyPort();
    const { code, stdout, stderr } = await runStudio({ args: ['--port', String(port)] });
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(sentences(stderr)).toEqual([expect.stringContaining(`Port ${port} is used`)]);
    expect(sentences(stderr)[0]).toContain('--port');
  });

  test('the data folder belongs to a running studio', async () => {
    const first = await startStudio();
    const { code, stdout, stderr } = await runStudio({ args: ['--data', first.data] });
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(sentences(stderr)).toEqual([expect.stringContaining(`process ${first.pid}`)]);
    expect((await first.status()).state).toBe('idle');
  });

  test('a killed studio takes its children along, and its lock is no obstacle', async () => {
    const data = join(ownFolder(), 'data');
    const first = await startStudio({ args: ['--data', data, '--source', 'test-pattern', '--start'] });
    await first.holds(1);
    await first.crash();
    const studio = await startStudio({ args: ['--data', data] });
    expect((await studio.status()).state).toBe('idle');
  });

  test('the data folder cannot be written', async () => {
    const file = join(ownFolder(), 'file');
    writeFileSync(file, '');
    const { code, stdout, stderr } = await runStudio({ args: ['--data', join(file, 'data')] });
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(sentences(stderr)).toEqual([expect.stringMatching(/cannot be written to.*--data/)]);
  });
});

test('settings that cannot be read: the defaults, a word about it, and the old file kept', async () => {
  const data = join(ownFolder(), 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'settings.json'), '{"fps": 30, "saveSec');
  const studio = await startStudio({ args: ['--data', data] });
  const { health, replay } = await studio.status();
  expect(health.problems.map(({ code }) => code)).toEqual(['settings-reset']);
  expect(replay.capacitySeconds).toBe(120);
  expect(readFileSync(join(data, 'settings.json.bak'), 'utf8')).toBe('{"fps": 30, "saveSec');
});

test('an unknown source over HTTP is a conflict that names what there is', async () => {
  const studio = await startStudio();
  const answer = await studio.api('POST', '/api/capture/start', { source: 'window:No Such Game' });
  const { title, detail } = expectProblem(answer, 409, 'unknown-source');
  expect(title).toContain('No Such Game');
  expect(detail).toContain('test-pattern');
  expect((await studio.status()).state).toBe('idle');
});

test('saving an empty buffer is a conflict', async () => {
  const studio = await startStudio();
  expectProblem(await studio.api('POST', '/api/replays', { seconds: 5 }), 409, 'buffer-empty');
  expectProblem(await studio.api('POST', '/api/replays', { from: 1, to: 2 }), 409, 'buffer-empty');
});

test('the RTMP port is taken: the studio runs and says so, and takes it once it is free', async () => {
  const { port, server } = await occupyPort();
  const studio = await startStudio({ args: ['--rtmp-port', String(port), '--source', 'test-pattern', '--start'] });
  expect(studio.rtmp).toBeNull();
  const { rtmp, health, replay } = await studio.holds(2);
  expect(rtmp.url).toBeNull();
  expect(rtmp.error).toMatchObject({ code: 'port-in-use' });
  expect(rtmp.error?.remedy).toContain('--rtmp-port');
  expect(health.problems.map(({ code }) => code)).toContain('rtmp-down');
  expect(replay.epochs).toHaveLength(1);
  for (const { path } of (await studio.save()).clips) await expectCleanClip(path);

  server.close();
  await until(
    'the live address',
    15_000,
    () => studio.status(),
    (status) => status.rtmp.url !== null,
  );
  await until(
    'its publisher',
    10_000,
    () => studio.status(),
    (status) => status.rtmp.publishers.length === 1,
  );
  expect((await studio.status()).replay.epochs).toHaveLength(1);
});

describe('ffmpeg', () => {
  test('is missing: the studio runs, says so, and finds it once it is there', async () => {
    const bin = join(ownFolder(), 'bin');
    mkdirSync(bin);
    const studio = await startStudio({ env: { PATH: bin, ...NO_STATIC } });
    const { health } = await studio.status();
    const problem = health.problems.find(({ code }) => code === 'ffmpeg-missing');
    expect(problem).toMatchObject({ severity: 'error' });
    expect(problem?.remedy).toContain('FFMPEG_PATH');
    const refused = await studio.api('POST', '/api/capture/start', { source: 'test-pattern' });
    expect(expectProblem(refused, 409, 'ffmpeg-missing').detail).toContain('Install ffmpeg');

    for (const name of ['ffmpeg', 'ffprobe']) {
      const real = (await run('sh', ['-c', `command -v ${name}`])).stdout.toString('utf8').trim();
      writeFileSync(join(bin, name), `#!/bin/sh\nexec ${real} "$@"\n`, { mode: 0o755 });
    }
    expect((await studio.start('test-pattern')).state).toBe('live');
    expect((await studio.status()).health.problems.map(({ code }) => code)).not.toContain('ffmpeg-missing');
  });

  describe('without x11grab', () => {
    let screen: Xvfb;
    beforeAll(async () => {
      screen = await startXvfb({ width: 800, height: 600 });
    });
    afterAll(async () => screen.stop());

    test('cannot capture a window and says what can; the test pattern works', async () => {
      const folder = ownFolder();
      for (const name of ['ffmpeg', 'ffprobe']) {
        const file = join(folder, name);
        writeFileSync(
          file,
          `#!/bin/sh\ncase " $* " in *" -devices "*) /usr/bin/env ${name} "$@" | grep -v x11grab ;; *) exec /usr/bin/env ${name} "$@" ;; esac\n`,
        );
        chmodSync(file, 0o755);
      }
      const game = await startWindow({ display: screen.display, title: 'Assetto Corsa', width: 320, height: 200 });
      onTestFinished(() => game.close());
      const studio = await startStudio({
        display: screen.display,
        env: { FFMPEG_PATH: join(folder, 'ffmpeg'), ...NO_STATIC },
      });
      const refused = await studio.api('POST', '/api/capture/start', { source: 'window:assetto' });
      const { title, detail } = expectProblem(refused, 409, 'ffmpeg-unsuitable');
      expect(title).toContain('x11grab');
      expect(detail).toContain('FFMPEG_PATH');
      expect((await studio.status()).state).toBe('failed');
      expect((await studio.start('test-pattern')).state).toBe('live');
    });
  });
});

describe('malformed requests', () => {
  test('bodies', async () => {
    const studio = await startStudio();
    const bodies: [string, unknown][] = [
      ['/api/capture/start', '{'],
      ['/api/capture/start', 'source=test-pattern'],
      ['/api/capture/start', {}],
      ['/api/capture/start', []],
      ['/api/capture/start', 'null'],
      ['/api/capture/start', { source: 5 }],
      ['/api/capture/start', { source: '' }],
      ['/api/capture/start', { source: 'x'.repeat(600) }],
      ['/api/capture/start', { source: 'test-pattern', fps: 31 }],
      ['/api/capture/start', { source: 'y'.repeat(100_000) }],
      ['/api/replays', { seconds: -1 }],
      ['/api/replays', { seconds: 'five' }],
      ['/api/replays', { seconds: 5, from: 1 }],
      ['/api/replays', { from: 2, to: 1 }],
      ['/api/replays', { format: 'gif' }],
      ['/api/replays', { nonsense: 1 }],
      ['/api/replays', '\u0000\u0001'],
    ];
    for (const [path, body] of bodies) expectProblem(await studio.api('POST', path, body), 400, 'bad-request');
    expect((await studio.status()).state).toBe('idle');
  });

  test('addresses and methods', async () => {
    const studio = await startStudio();
    const absent: [string, string, string][] = [
      ['GET', '/api/nothing', 'not-found'],
      ['GET', '/api/', 'not-found'],
      ['GET', '/no/such/page', 'not-found'],
      ['GET', '/%E0%A4%A', 'not-found'],
      ['GET', '/..%2f..%2fpackage.json', 'not-found'],
      ['GET', '/api/sources/%E0%A4%A/thumbnail', 'not-found'],
      ['GET', '/api/sources/window:0x1/thumbnail', 'not-found'],
      ['GET', '/api/clips/none/file', 'clip-not-found'],
      ['GET', '/api/clips/none/thumbnail', 'clip-not-found'],
      ['GET', '/api/clips/..%2f..%2fetc%2fpasswd/file', 'clip-not-found'],
      ['DELETE', '/api/clips/none', 'clip-not-found'],
    ];
    for (const [method, path, code] of absent) expectProblem(await studio.api(method, path), 404, code);
    const refused: [string, string, string][] = [
      ['PUT', '/api/status', 'GET'],
      ['DELETE', '/api/status', 'GET'],
      ['GET', '/api/capture/start', 'POST'],
      ['PATCH', '/api/clips/none', 'DELETE'],
      ['POST', '/', 'GET'],
    ];
    for (const [method, path, allowed] of refused) {
      const answer = await studio.api(method, path);
      expectProblem(answer, 405, 'method-not-allowed');
      expect(answer.headers.get('allow')).toContain(allowed);
    }
    const head = await studio.api('HEAD', '/api/status');
    expect({ status: head.status, body: head.body }).toEqual({ status: 200, body: '' });
    expect((await studio.status()).state).toBe('idle');
  });
});

describe('only this computer and only our own page', () => {
  /** A request with exactly these headers, which fetch would not send. */
  async function raw(port: number, headers: Record<string, string>, path = '/api/status'): Promise<number> {
    const answer = new Promise<number>((resolve, reject) => {
      const asking = request({ host: '127.0.0.1', port, path, headers, setHost: false, agent: false }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      });
      asking.once('error', reject);
      asking.end();
    });
    return within('an answer', 5000, answer);
  }

  /** What the WebSocket's opening is answered with: 101 or the refusal. */
  async function upgrade(port: number, headers: Record<string, string>, path = '/rpc'): Promise<number> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
    const answer = new Promise<number>((resolve, reject) => {
      socket.once('open', () => resolve(101));
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      socket.once('error', reject);
    });
    try {
      return await within('an answer', 5000, answer);
    } finally {
      socket.on('error', () => undefined);
      socket.terminate();
    }
  }

  test('Host, Origin and Sec-Fetch-Site', async () => {
    const { port } = await startStudio();
    const host = `127.0.0.1:${port}`;
    const good: Record<string, string>[] = [
      { host },
      { host: `localhost:${port}` },
      { host: `[::1]:${port}` },
      { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' },
      { host, 'sec-fetch-site': 'none' },
    ];
    const bad: Record<string, string>[] = [
      { host: 'evil.example' },
      { host: `evil.example:${port}` },
      { host: '127.0.0.1:1' },
      { host: '127.0.0.1' },
      { host: `127.0.0.1.evil.example:${port}` },
      { host, origin: 'http://evil.example' },
      { host, origin: 'null' },
      { host, origin: 'http://127.0.0.1:1' },
      { host, origin: `https://${host}` },
      { host, origin: `http://localhost:${port}` },
      { host, 'sec-fetch-site': 'cross-site' },
      { host, 'sec-fetch-site': 'same-site' },
      { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ];
    for (const headers of good) {
      expect(await raw(port, headers), JSON.stringify(headers)).toBe(200);
      expect(await upgrade(port, headers), JSON.stringify(headers)).toBe(101);
    }
    for (const headers of bad) {
      expect(await raw(port, headers), JSON.stringify(headers)).toBe(403);
      expect(await upgrade(port, headers), JSON.stringify(headers)).toBe(403);
    }
    expect(await raw(port, {}), 'no Host at all').toBeGreaterThanOrEqual(400);
    const link = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect(await raw(port, link, '/'), 'a link to the studio').toBe(200);
    const frame = { ...link, 'sec-fetch-dest': 'iframe' };
    expect(await raw(port, frame, '/'), 'the studio in a frame').toBe(403);
    expect(await upgrade(port, { host }, '/other'), 'a socket elsewhere').toBe(403);
  });

  test('a refusal is a problem document, and pages cannot be framed', async () => {
    const studio = await startStudio();
    const answer = await fetch(new URL('/api/status', studio.url), { headers: { 'sec-fetch-site': 'cross-site' } });
    expectProblem({ status: answer.status, headers: answer.headers, body: await answer.json() }, 403, 'forbidden');
    const page = await studio.api('GET', '/');
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });
});

test('garbage over /rpc ends that client at most', async () => {
  const studio = await withReplay();
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(studio.url.replace('http', 'ws') + 'rpc');
    onTestFinished(() => socket.terminate());
    socket.on('error', () => undefined);
    await within('the socket', 5000, new Promise((resolve) => socket.once('open', resolve)));
    return socket;
  };
  const NO_CODE = 1005;
  const closing: [string | Uint8Array, number][] = [
    ['not json', 1007],
    [new Uint8Array([1, 2, 3]), 1007],
    ['x'.repeat(300_000), 1009],
    // JSON, but no message of the contract
    ['{}', NO_CODE],
    ['[]', NO_CODE],
    ['null', NO_CODE],
    ['{"t":"call","id":1}', NO_CODE],
    ['{"t":"call","id":-1,"name":"capture.stop"}', NO_CODE],
    ['{"t":"event","id":1,"event":{}}', NO_CODE],
  ];
  for (const [message, code] of closing) {
    const socket = await open();
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.send(message);
    expect(await within('the close', 5000, closed)).toBe(code);
  }

  const socket = await open();
  const answers: string[] = [];
  socket.on('message', (data: Buffer) => void answers.push(data.toString('utf8')));
  const refused = [
    '{"t":"call","id":2,"name":"no.such"}',
    '{"t":"call","id":3,"name":"capture.start","input":{"source":7}}',
    '{"t":"call","id":4,"name":"replay.save","input":{"seconds":-5}}',
    '{"t":"call","id":5,"name":"__proto__"}',
    '{"t":"open","id":6,"name":"constructor"}',
    '{"t":"open","id":7,"name":"capture.start"}',
    '{"t":"call","id":8,"name":"state"}',
  ];
  for (const message of refused) socket.send(message);
  // for subscriptions that do not exist
  socket.send('{"t":"ack","id":99,"frames":5}');
  socket.send('{"t":"close","id":12345}');
  await until(
    'the refusals',
    5000,
    () => answers,
    (all) => all.length >= refused.length,
  );
  for (const id of [2, 3, 4, 5, 6, 7, 8]) {
    const told = answers.filter((answer) => answer.startsWith(`{"t":"error","id":${id},`));
    expect(told, `message ${id}`).toHaveLength(1);
    expect(told[0]).toContain('"code":"bad-request"');
  }
  socket.send('{"t":"call","id":1000,"name":"sources.refresh"}');
  await until(
    'a good answer',
    5000,
    () => answers,
    (all) => all.some((answer) => answer.startsWith('{"t":"ok","id":1000')),
  );

  const { state, replay } = await studio.status();
  expect(state).toBe('live');
  expect(replay.epochs).toHaveLength(1);
});

describe('a save that fails keeps the buffer', () => {
  test('the clips folder cannot be made; later it can', async () => {
    const place = join(ownFolder(), 'clips');
    writeFileSync(place, 'a file where the folder should be');
    const studio = await withReplay(['--clips', join(place, 'here')]);
    const before = await studio.status();
    const refused = await studio.api('POST', '/api/replays', { seconds: 5 });
    expect(expectProblem(refused, 409, 'folder-not-writable').detail).toContain('--clips');
    const { replay } = await studio.status();
    expect(replay.secondsHeld).toBeGreaterThanOrEqual(before.replay.secondsHeld);
    rmSync(place);
    const { clips } = await studio.save({ seconds: 5 });
    expect(clips).toHaveLength(1);
    for (const clip of clips) await expectCleanClip(clip.path);
  });

  test.each([
    ['is killed', 'kill -9 $$'],
    ['writes what is no clip', 'for file; do :; done; head -c 100000 /dev/urandom > "$file"; exec cat > /dev/null'],
    ['leaves the second half out', 'exec /usr/bin/env ffmpeg -t 1 "$@"'],
  ])('the ffmpeg of the save %s: nothing is called saved; later it is', async (_, deed) => {
    const folder = ownFolder();
    const broken = join(folder, 'broken');
    writeFileSync(
      join(folder, 'ffmpeg'),
      `#!/bin/sh\ncase " $* " in *" -f mp4 "*) if [ -e ${broken} ]; then ${deed}; fi ;; esac\nexec /usr/bin/env ffmpeg "$@"\n`,
      { mode: 0o755 },
    );
    writeFileSync(broken, '');
    const studio = await startStudio({
      args: ['--source', 'test-pattern', '--start'],
      env: { FFMPEG_PATH: join(folder, 'ffmpeg') },
    });
    const before = await studio.holds(3);
    const refused = await studio.api('POST', '/api/replays', { seconds: 30 });
    expect(expectProblem(refused, 500, 'save-failed').detail).toMatch(/replay is kept/);
    expect(readdirSync(studio.clips)).toEqual([]);
    expect((await studio.api('GET', '/api/clips')).body).toEqual([]);
    const after = await studio.status();
    expect(after.state).toBe('live');
    expect(after.replay.secondsHeld).toBeGreaterThanOrEqual(before.replay.secondsHeld);
    rmSync(broken);
    for (const clip of (await studio.save({ seconds: 30 })).clips) await expectCleanClip(clip.path);
  });

  test('the disk is full; later there is room', async ({ skip }) => {
    const folder = join(ownFolder(), 'small disk');
    mkdirSync(folder);
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', folder]).catch((error: unknown) => ({
      code: 1,
      stderr: String(error),
    }));
    if (mounted.code !== 0) {
      process.stdout.write(`skipped: a small disk needs the right to mount (${mounted.stderr.trim()})\n`);
      skip();
    }
    onTestFinished(async () => {
      const { code, stderr } = await run('umount', ['-l', folder]);
      expect(code, stderr).toBe(0);
    });
    const studio = await withReplay(['--clips', folder]);
    const filler = join(folder, 'filler');
    await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k', 'conv=notrunc']);
    const before = await studio.status();
    const refused = await studio.api('POST', '/api/replays', { seconds: 60 });
    expect(expectProblem(refused, 507, 'disk-full').detail).toMatch(/Free some space/);
    expect(readdirSync(folder)).toEqual(['filler']);
    expect((await studio.status()).replay.secondsHeld).toBeGreaterThanOrEqual(before.replay.secondsHeld);
    expect((await studio.status()).state).toBe('live');

    rmSync(filler);
    const { clips, seconds } = await studio.save({ seconds: 60 });
    expect(seconds).toBeGreaterThanOrEqual(before.replay.secondsHeld - 1);
    for (const clip of clips) await expectCleanClip(clip.path);
    expect(readdirSync(folder)).toHaveLength(1);
  });
});
