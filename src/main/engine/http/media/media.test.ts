import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ReplayRing } from '../../replay/ring.ts';
import { demux } from '../../replay/testing/demux.ts';
import { pictures } from '../../replay/testing/pictures.ts';
import { StreamBuilder, VIDEO_PID } from '../../replay/testing/stream.ts';
import { until } from '../../../../../test/support/wait.ts';
import { sendProblem } from '../respond.ts';
import { lastingSeconds } from './bodies.ts';
import { createMedia, parseQuery, type Media } from './media.ts';

const quiet = { info: () => undefined };

type Stage = {
  ring: ReplayRing;
  media: Media;
  url: string;
  port: number;
  /** more pictures; 30 per second, about `size` bytes each */
  record: (pictures: number, size?: number) => void;
};

/** The routes over a ring of their own on a real server. */
async function stage(maxBytes = 32_000_000): Promise<Stage> {
  const ring = new ReplayRing({ maxBytes, maxSeconds: 3600 });
  const media = createMedia(ring, quiet);
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (!media.handles(path)) response.writeHead(404).end();
    else media.serve(path, response).catch((error: unknown) => sendProblem(response, error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await until('every reader to be forgotten', 3000, () => media.readers().length === 0);
  });
  const address = server.address();
  const port = isAddress(address) ? address.port : 0;
  let count = 0;
  const picture = pictures();
  return {
    ring,
    media,
    port,
    url: `http://127.0.0.1:${port}`,
    record(pictures, size = 1000) {
      for (let i = 0; i < pictures; i += 1, count += 1) {
        ring.write(picture(count, size));
      }
    },
  };
}

const isAddress = (address: ReturnType<ReturnType<typeof createServer>['address']>): address is AddressInfo =>
  typeof address === 'object' && address !== null;

const bytesOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer());

/** A connection that sends a request and then reads nothing. */
async function frozen(port: number, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  return socket;
}

describe('what may be asked', () => {
  it.each([
    ['', { follow: false, seconds: undefined }],
    ['follow=1', { follow: true, seconds: undefined }],
    ['seconds=30', { follow: false, seconds: 30 }],
    ['seconds=0.5', { follow: false, seconds: 0.5 }],
  ])('%s', (query, expected) => {
    expect(parseQuery(new URLSearchParams(query))).toEqual(expected);
  });

  it.each([
    'seconds=0',
    'seconds=',
    'seconds=-1',
    'seconds=1e3',
    'seconds=99999',
    'seconds=Infinity',
    'follow=0',
    'x=1',
  ])('not %s', (query) => {
    expect(() => parseQuery(new URLSearchParams(query))).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });

  it.each(['seconds=1&seconds=2', 'follow=1&seconds=2', 'follow=1&follow=1'])('nor %s', (query) => {
    expect(() => parseQuery(new URLSearchParams(query))).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });
});

it('an address holds only what a full buffer will not drop at once', () => {
  const status = { secondsHeld: 0, liveSeconds: 0, bytesHeld: 0, capacityBytes: 0, epochs: [] };
  expect(lastingSeconds({ ...status, capacitySeconds: 120, estimatedSeconds: null })).toBe(115);
  expect(lastingSeconds({ ...status, capacitySeconds: 120, estimatedSeconds: 16 })).toBe(13.5);
  expect(lastingSeconds({ ...status, capacitySeconds: 10, estimatedSeconds: 500 })).toBe(9);
});

describe('/video', () => {
  it('is 503 with Retry-After while empty, in every form', async () => {
    const { url } = await stage();
    for (const path of ['/video', '/video?seconds=3', '/video?follow=1', '/live.ts']) {
      for (const headers of [{}, { Range: 'bytes=0-' }]) {
        const response = await fetch(url + path, { headers });
        expect(response.status).toBe(503);
        expect(response.headers.get('retry-after')).toBe('1');
        expect(response.headers.get('content-type')).toContain('application/problem+json');
        expect(await response.json()).toMatchObject({ code: 'buffer-empty', status: 503 });
      }
    }
  });

  it('is the buffer now, finite, without a word of ranges', async () => {
    const { url, record } = await stage();
    record(95);
    const response = await fetch(`${url}/video`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('video/mp2t');
    expect(response.headers.has('accept-ranges')).toBe(false);
    const bytes = await bytesOf(response);
    expect(bytes.length).toBe(Number(response.headers.get('content-length')));
    expect(demux(bytes).map(({ pid }) => pid)).toEqual(new Array<number>(95).fill(VIDEO_PID));
    const short = await bytesOf(await fetch(`${url}/video?seconds=1`));
    expect(demux(short)).toHaveLength(35);
    const head = await fetch(`${url}/video`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(bytes.length));
  });

  it('with Range has an address of its own, which keeps its bytes while the buffer moves', async () => {
    const { url, record } = await stage();
    record(90);
    const redirect = await fetch(`${url}/video`, { headers: { Range: 'bytes=0-' }, redirect: 'manual' });
    expect(redirect.status).toBe(307);
    expect(redirect.headers.get('cache-control')).toBe('max-age=3600');
    const path = redirect.headers.get('location') ?? '';
    expect(path).toMatch(/^\/video\/\d+-\d+\.ts$/);
    const whole = await fetch(url + path);
    expect(whole.status).toBe(200);
    expect(whole.headers.get('accept-ranges')).toBe('bytes');
    const bytes = await bytesOf(whole);
    record(60);
    for (const [range, from, to] of [
      ['0-', 0, bytes.length],
      ['1-1', 1, 2],
      ['187-5000', 187, 5001],
      ['-300', bytes.length - 300, bytes.length],
      [`90000-${10 ** 12}`, 90_000, bytes.length],
    ] as const) {
      const part = await fetch(url + path, { headers: { Range: `bytes=${range}` } });
      expect(part.status).toBe(206);
      expect(part.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/${bytes.length}`);
      expect(part.headers.get('content-length')).toBe(String(to - from));
      expect(Buffer.compare(await bytesOf(part), bytes.subarray(from, to))).toBe(0);
    }
    const outside = await fetch(url + path, { headers: { Range: `bytes=${bytes.length}-` } });
    expect(outside.status).toBe(416);
    expect(outside.headers.get('content-range')).toBe(`bytes */${bytes.length}`);
    const head = await fetch(url + path, { method: 'HEAD', headers: { Range: 'bytes=10-19' } });
    expect([head.status, head.headers.get('content-length')]).toEqual([206, '10']);
  });

  it('several readers of one address get the same bytes at the same time', async () => {
    const { url, record } = await stage();
    record(300, 20_000);
    const redirect = await fetch(`${url}/video`, { headers: { Range: 'bytes=0-' }, redirect: 'manual' });
    const address = url + (redirect.headers.get('location') ?? '');
    const all = await Promise.all(Array.from({ length: 6 }, async () => bytesOf(await fetch(address))));
    expect(all[0]?.length).toBeGreaterThan(6_000_000);
    for (const bytes of all) expect(Buffer.compare(bytes, all[0] ?? bytes)).toBe(0);
  });

  it('is 410 once evicted, cut when that happens in the middle, 404 where it never was', async () => {
    const { ring, url, port, media, record } = await stage(32_000_000);
    record(450, 60_000);
    const redirect = await fetch(`${url}/video`, { headers: { Range: 'bytes=0-' }, redirect: 'manual' });
    const address = redirect.headers.get('location') ?? '';
    const size = Number((await fetch(url + address, { method: 'HEAD' })).headers.get('content-length'));
    const socket = await frozen(port, address);
    await until('the reader', 2000, () => media.readers().some(({ bytesSent }) => bytesSent > 0));
    record(800, 60_000);
    for (const headers of [{}, { Range: 'bytes=0-' }, { Range: `bytes=${size - 1}-` }]) {
      const gone = await fetch(url + address, { headers });
      expect(gone.status).toBe(410);
      expect(await gone.json()).toMatchObject({ code: 'range-not-held' });
    }
    expect((await fetch(`${url}/video/7-188.ts`)).status).toBe(410);
    expect((await fetch(`${url}/video/${ring.oldestOffset + 188}-${ring.oldestOffset + 376}.ts`)).status).toBe(404);
    // the frozen one wakes up: it gets what the system and its own few megabytes hold, then nothing more, and never garbage
    const got: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => got.push(chunk)).resume();
    await once(socket, 'close');
    const bytes = Buffer.concat(got);
    const body = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
    expect(body.length).toBeGreaterThan(12_000_000);
    expect(body.length).toBeLessThan(size);
    const packets = Uint8Array.from(body.subarray(0, body.length - (body.length % 188)));
    expect(demux(packets, { whole: false }).length).toBeGreaterThan(10);
  });

  it.each(['/video?x=1', '/video?follow=2', '/live.ts?seconds=3', '/video/0-188.ts?a'])('400 for %s', async (path) => {
    const { url, record } = await stage();
    record(30);
    const response = await fetch(url + path);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'bad-request' });
  });

  it('takes GET and HEAD only', async () => {
    const { url } = await stage();
    const response = await fetch(`${url}/video`, { method: 'POST' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });
});

describe('endless bodies', () => {
  it('follow from the oldest picture, live from the newest keyframe, and go on', async () => {
    const { url, record, media } = await stage();
    record(75);
    const sizes: number[] = [];
    for (const [path, first] of [
      ['/video?follow=1', 0],
      // the newest keyframe of 95 pictures
      ['/live.ts', 90],
    ] as const) {
      const stop = new AbortController();
      const response = await fetch(url + path, { signal: stop.signal });
      expect([response.status, response.headers.get('accept-ranges')]).toEqual([200, null]);
      expect(response.headers.has('content-length')).toBe(false);
      const parts: Uint8Array[] = [];
      const reader = response.body?.getReader();
      const enough = async (pictures: number): Promise<void> => {
        for (;;) {
          const bytes = Uint8Array.from(Buffer.concat(parts));
          const all = demux(bytes.subarray(0, bytes.length - (bytes.length % 188)), { whole: false });
          if (all.length > 0) expect(all[0]?.pts).toBe(first * 3000);
          if (all.length >= pictures) return;
          const next = await reader?.read();
          if (next?.value) parts.push(next.value);
        }
      };
      const held = 75 + sizes.length * 20;
      await enough(held - first);
      record(20);
      await enough(held - first + 20);
      sizes.push(parts.length);
      expect(media.readers()).toMatchObject([{ kind: path === '/live.ts' ? 'live' : 'follow', skipped: 0 }]);
      stop.abort();
      await until('the reader to be forgotten', 2000, () => media.readers().length === 0);
    }
  });

  it('answer HEAD at once', async () => {
    const { url, record, media } = await stage();
    record(30);
    for (const path of ['/live.ts', '/video?follow=1']) {
      const head = await fetch(url + path, { method: 'HEAD' });
      expect([head.status, head.headers.get('content-type')]).toEqual([200, 'video/mp2t']);
    }
    expect(media.readers()).toEqual([]);
  });

  it('a frozen reader costs at most 16 MB and is moved when it reads again; the others see nothing', async () => {
    const maxBytes = 32_000_000;
    const { ring, url, port, media, record } = await stage(maxBytes);
    record(30, 50_000);
    const sockets = await Promise.all(['/video?follow=1', '/live.ts'].map(async (path) => frozen(port, path)));
    const good = await fetch(`${url}/video?follow=1`);
    const reader = good.body?.getReader();
    let bytes = 0;
    for (let i = 0; i < 60; i += 1) {
      record(30, 50_000);
      const wanted = ring.totalBytes - 200_000;
      while (bytes < wanted) {
        const next = await reader?.read();
        if (!next?.value) break;
        bytes += next.value.length;
      }
      expect(ring.allocatedBytes).toBeLessThanOrEqual(maxBytes + 2 * 16_000_000);
    }
    expect(bytes).toBeGreaterThan(80_000_000);
    expect(media.readers().map(({ skipped }) => skipped)).toEqual([0, 0, 0]);
    for (const socket of sockets) socket.resume();
    await until('both to be moved', 5000, () => media.readers().filter(({ skipped }) => skipped > 0).length === 2);
    await reader?.cancel();
  });

  it('end where the codec changes', async () => {
    const { ring, url, record } = await stage();
    record(30);
    const response = await fetch(`${url}/video?follow=1`);
    ring.beginEpoch({ sourceName: 'other' });
    const other = new StreamBuilder().psi([{ pid: 0x120, type: 0x1b }]);
    for (let i = 0; i < 40; i += 1) other.packets(...other.videoPackets({ key: i % 10 === 0, pts: i * 3000 }, 0x120));
    ring.write(other.take());
    expect(demux(await bytesOf(response))).toHaveLength(30);
  });

  it('are 32 at most', async () => {
    const { port, url, media, record } = await stage();
    record(30);
    await Promise.all(Array.from({ length: 32 }, async () => frozen(port, '/live.ts')));
    await until('32 readers', 3000, () => media.readers().length === 32);
    const refused = await fetch(`${url}/live.ts`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'conflict' });
    expect((await fetch(`${url}/live.ts`, { method: 'HEAD' })).status).toBe(200);
  });
});
