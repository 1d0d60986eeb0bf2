import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { PushStatus } from '../src/contract/index.ts';
import { expectCleanClip, streamsOf } from '../test/support/media.ts';
import { startNginxRtmp } from '../test/support/nginx-rtmp.ts';
import { run } from '../test/support/processes.ts';
import { type RunningStudio, expectProblem, startStudio } from '../test/support/studio.ts';
import { until } from '../test/support/wait.ts';

const Id = z.strictObject({ id: z.string() });
const CERTIFICATES = join(import.meta.dirname, '../test/fixtures/tls');
const PASSPHRASE = 'pass-phrase-0123';
const KEY = 'k3y_of-the|[f=mpegts]stream#=&1';

async function add(studio: RunningStudio, name: string, url: string, key?: string): Promise<string> {
  const answer = await studio.api('POST', '/api/push', { name, url, ...(key === undefined ? {} : { key }) });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  const { id } = Id.parse(answer.body);
  expect((await studio.api('POST', `/api/push/${id}/enable`)).status).toBe(204);
  return id;
}

const pushes = (studio: RunningStudio, id: string, state: PushStatus['state'], ms = 15_000): Promise<PushStatus> =>
  until(
    `${id} to be ${state}`,
    ms,
    async () => (await studio.status()).push.find((push) => push.id === id),
    (push) => push?.state === state,
  ).then((push) => {
    if (!push) throw new Error('unreachable');
    return push;
  });

const pushing = (studio: RunningStudio): string[] =>
  studio
    .processes()
    .filter(({ command }) => /ffmpeg .*-progress pipe:3 .*-i pipe:0/.test(command))
    .map(({ command }) => command);

/** Everything the studio wrote or says: log file, stderr, state. */
const everythingSaid = async (studio: RunningStudio): Promise<string> =>
  [
    ...studio.lines,
    JSON.stringify(await studio.status()),
    JSON.stringify((await studio.api('GET', '/api/push')).body),
    ...readdirSync(join(studio.data, 'logs')).map((file) => readFileSync(join(studio.data, 'logs', file), 'utf8')),
    readFileSync(join(studio.data, 'settings.json'), 'utf8'),
    ...studio.processes().map(({ command }) => command),
  ].join('\n');

/** A TLS server on loopback that passes everything on to `port`; answers its own port. */
async function tlsBefore(port: number, certificate: string): Promise<number> {
  const pem = readFileSync(join(CERTIFICATES, certificate));
  const sockets = new Set<net.Socket>();
  const server = tls.createServer({ key: pem, cert: pem }, (client) => {
    const upstream = net.connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.pipe(upstream).pipe(client);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** ffmpeg waiting for one SRT caller with this passphrase, writing what it sends to `file`. */
async function srtListener(file: string, passphrase: string): Promise<number> {
  const probe = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const url = `srt://127.0.0.1:${port}?mode=listener&passphrase=${passphrase}`;
  const child = spawn('ffmpeg', ['-v', 'error', '-i', url, '-c', 'copy', '-f', 'mpegts', file], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return port;
}

test('RTMP, SRT and RTMPS at once; one server is killed and comes back; encode and replay are untouched; the key is nowhere to be seen', async () => {
  const first = await startNginxRtmp();
  const studio = await startStudio({ env: { NODE_EXTRA_CA_CERTS: join(CERTIFICATES, 'trusted.pem') } });
  const srtFile = join(studio.folder, 'srt.ts');
  const srtPort = await srtListener(srtFile, PASSPHRASE);
  const id = await add(studio, 'First', first.url, KEY);
  expect(await pushes(studio, id, 'waiting')).toMatchObject({ hasKey: true, kbps: null });
  await studio.start('test-pattern');
  const encoder = studio.ffmpeg();
  const other = await add(studio, 'SRT', `srt://127.0.0.1:${srtPort}?streamid=open`, PASSPHRASE);
  const secure = await add(
    studio,
    'TLS',
    `rtmps://localhost:${await tlsBefore(first.port, 'trusted.pem')}/live`,
    'tls-key',
  );
  const forged = await add(
    studio,
    'Forged',
    `rtmps://localhost:${await tlsBefore(first.port, 'unknown.pem')}/live`,
    KEY,
  );
  const live = await pushes(studio, id, 'live');
  expect(live).toMatchObject({ name: 'First', url: first.url, attempt: 0, skips: 0 });
  await pushes(studio, other, 'live');
  await pushes(studio, secure, 'live');
  expect((await pushes(studio, forged, 'retrying')).error?.message).toBe('The certificate of the server was refused.');
  expect([...first.published()].sort()).toEqual([KEY, 'tls-key'].sort());
  for (const done of [secure, forged]) expect((await studio.api('DELETE', `/api/push/${done}`)).status).toBe(204);
  expect(pushing(studio)).toHaveLength(2);
  await until(
    'its bit rate',
    8000,
    async () => (await studio.status()).push.find((push) => push.id === id)?.kbps ?? 0,
    (kbps) => kbps > 50,
  );

  // what arrives decodes
  const address = `${first.url}/${KEY}`;
  expect((await streamsOf(address)).map(({ codec_name: codec }) => codec).sort()).toEqual(['aac', 'h264']);
  const decoded = await run('ffmpeg', ['-v', 'error', '-xerror', '-i', address, '-t', '2', '-f', 'null', '-']);
  expect({ code: decoded.code, stderr: decoded.stderr }).toEqual({ code: 0, stderr: '' });
  for (const secret of [KEY, PASSPHRASE]) expect(await everythingSaid(studio)).not.toContain(secret);
  // the files that carried them are gone
  expect(readdirSync(join(studio.data, 'push'))).toEqual(['roots.pem']);

  await first.kill();
  const { error } = await pushes(studio, id, 'retrying');
  expect(error?.message).toMatch(/^(Nobody answers|The server closed)/);
  await until(
    'the problem',
    15_000,
    async () => (await studio.status()).health.problems.map(({ code }) => code),
    (codes) => codes.includes('push-failed'),
  );
  expect(await pushes(studio, other, 'live')).toMatchObject({ attempt: 0 });
  const killed = performance.now();
  await first.start();
  await pushes(studio, id, 'live', 15_000);
  process.stdout.write(`measured: live again ${Math.round(performance.now() - killed)} ms after the server was back\n`);
  const { replay, state } = await until(
    'the problem to be gone',
    10_000,
    () => studio.status(),
    ({ health }) => !health.problems.some(({ code }) => code === 'push-failed'),
  );
  expect({ state, epochs: replay.epochs.length, encoder: studio.ffmpeg() }).toEqual({
    state: 'live',
    epochs: 1,
    encoder,
  });
  const { clips, seconds } = await studio.save({ from: 0 });
  expect(clips).toHaveLength(1);
  expect(Math.abs(seconds - replay.secondsHeld)).toBeLessThan(2);
  for (const clip of clips) await expectCleanClip(clip.path);
  expect(await everythingSaid(studio)).not.toContain(KEY);

  // switched off and deleted: its ffmpeg ends, the other goes on
  expect((await studio.api('POST', `/api/push/${id}/disable`)).status).toBe(204);
  await until(
    'one push',
    5000,
    () => pushing(studio),
    (left) => left.length === 1,
  );
  expect((await studio.api('DELETE', `/api/push/${id}`)).status).toBe(204);
  expect((await studio.status()).push.map((push) => push.id)).toEqual([other]);
  expect(readFileSync(join(studio.data, 'secrets.json'), 'utf8')).not.toContain(KEY);
  await studio.stopCapture();
  await pushes(studio, other, 'waiting');
  expect((await streamsOf(srtFile)).map(({ codec_name: codec }) => codec).sort()).toEqual(['aac', 'h264']);
});

test('addresses that are none are refused in words, and nothing of them is kept', async () => {
  const studio = await startStudio();
  for (const url of ['http://example.org/live', 'rtmp://user:pw@example.org/live', 'file:///etc/passwd', 'srt://host'])
    expectProblem(await studio.api('POST', '/api/push', { name: 'x', url, key: 'k' }), 400, 'bad-request');
  expectProblem(
    await studio.api('POST', '/api/push', { name: 'x', url: 'rtmp://host/app', key: 'a b' }),
    400,
    'bad-request',
  );
  expectProblem(await studio.api('DELETE', '/api/push/none'), 404, 'not-found');
  expect((await studio.status()).push).toEqual([]);
});
