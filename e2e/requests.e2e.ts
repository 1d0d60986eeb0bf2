import { request } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { expectProblem, startStudio } from '../test/support/studio.ts';
import { until, within } from '../test/support/wait.ts';

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
      ['/api/replays', { format: 'avi' }],
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
  const studio = await startStudio({ args: ['--source', 'test-pattern', '--start'] });
  await studio.holds(1);
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
