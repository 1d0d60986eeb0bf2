import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { PushStatus } from '../src/contract/index.ts';
import { expectCleanClip, streamsOf } from '../test/support/media.ts';
import { startNginxRtmp } from '../test/support/nginx-rtmp.ts';
import { run } from '../test/support/processes.ts';
import { type RunningStudio, expectProblem, startStudio } from '../test/support/studio.ts';
import { until } from '../test/support/wait.ts';

const Id = z.strictObject({ id: z.string() });
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

test('two servers at once; one is killed and comes back; encode and replay are untouched; the key is nowhere to be seen', async () => {
  const [first, second] = [await startNginxRtmp(), await startNginxRtmp()];
  const studio = await startStudio();
  const id = await add(studio, 'First', first.url, KEY);
  expect(await pushes(studio, id, 'waiting')).toMatchObject({ hasKey: true, kbps: null });
  await studio.start('test-pattern');
  const encoder = studio.ffmpeg();
  const other = await add(studio, 'Second', `${second.url}/open-name`);
  const live = await pushes(studio, id, 'live');
  expect(live).toMatchObject({ name: 'First', url: first.url, attempt: 0, skips: 0 });
  await pushes(studio, other, 'live');
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
  expect(second.published()).toEqual(['open-name']);
  expect(await everythingSaid(studio)).not.toContain(KEY);
  // the file that carried it is gone
  expect(readdirSync(join(studio.data, 'push'))).toEqual([]);

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
