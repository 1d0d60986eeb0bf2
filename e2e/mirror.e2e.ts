import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { SaveAnswer, procedures } from '../src/contract/index.ts';
import { connectContract, type ContractClient } from '../src/contract/wire/client.ts';
import { wsWire } from '../src/contract/wire/ws.ts';
import { expectCleanClip } from '../test/support/media.ts';
import { expectProblem, startStudio, type RunningStudio } from '../test/support/studio.ts';
import { until, within } from '../test/support/wait.ts';

type World = { data: string; clips: string; mirror: string; studio(): Promise<RunningStudio> };

/** Folders that outlive the studios of one test. */
function world({ mirror }: { mirror: boolean }): World {
  const folder = mkdtempSync(join(tmpdir(), 'pitwall-mirror-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [data, clips] = [join(folder, 'data'), join(folder, 'clips')];
  mkdirSync(data, { mode: 0o700 });
  if (mirror) writeFileSync(join(data, 'settings.json'), JSON.stringify({ version: 2, mirror }));
  return {
    ...{ data, clips, mirror: join(data, 'mirror') },
    studio: async () => startStudio({ args: ['--data', data, '--clips', clips] }),
  };
}

async function asked(studio: RunningStudio, what: (client: ContractClient) => Promise<unknown>): Promise<void> {
  const socket = new WebSocket(`${studio.url.replace(/^http/, 'ws')}rpc`);
  await within('the socket', 5000, new Promise((opened) => socket.once('open', opened)));
  const client = connectContract(wsWire(socket));
  try {
    await what(client);
  } finally {
    client.close();
  }
}

const switchMirror = async (studio: RunningStudio, mirror: boolean): Promise<void> =>
  asked(studio, (client) => client.call(procedures.updateSettings, { mirror }));

const recovered = async (studio: RunningStudio): Promise<number> => {
  const { recovery } = await until(
    'the leftover to be offered',
    10_000,
    () => studio.status(),
    (status) => status.recovery !== null,
  );
  return recovery?.seconds ?? 0;
};

const segments = (mirror: string): string[] =>
  readdirSync(mirror).flatMap((run) => readdirSync(join(mirror, run)).map((name) => join(mirror, run, name)));

const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8);

/** The bytes under way are at most a tenth of a second old; a picture is known to be whole when it has arrived whole. */
const LOST_SECONDS = 1;

test(
  'killed in mid-stream: the next start offers what was held, and saves it clean',
  { timeout: 180_000 },
  async () => {
    const place = world({ mirror: true });
    const first = await place.studio();
    await first.start('test-pattern');
    await first.holds(5);
    await first.stopCapture();
    await first.start('test-pattern');
    const { replay } = await first.holds(8);
    await first.crash();
    expect(
      new Set([place.mirror, ...readdirSync(place.mirror).map((run) => join(place.mirror, run))].map(mode)),
    ).toEqual(new Set(['700']));
    expect(new Set(segments(place.mirror).map(mode))).toEqual(new Set(['600']));

    // killed again before the user answered: nothing is lost, what this run held is added
    const second = await place.studio();
    expect(await recovered(second)).toBeGreaterThan(replay.secondsHeld - LOST_SECONDS);
    await second.start('test-pattern');
    const held = (await second.holds(3)).replay.secondsHeld;
    await second.crash();

    const third = await place.studio();
    const seconds = await until(
      'both leftovers',
      10_000,
      async () => (await third.status()).recovery?.seconds ?? 0,
      (found) => found > replay.secondsHeld + held - 2 * LOST_SECONDS,
    );
    await third.start('test-pattern');
    await third.holds(2);
    const saved = await third.api('POST', '/api/recovery/save');
    expect(saved.status, JSON.stringify(saved.body)).toBe(201);
    const answer = SaveAnswer.parse(saved.body);
    expect(answer.clips).toHaveLength(3);
    expect(answer.seconds).toBeCloseTo(seconds, 0);
    const [oldest, next, last] = answer.clips;
    expect(oldest?.from).toBeCloseTo(replay.epochs[0]?.from ?? 0, 0);
    expect(next?.from).toBeCloseTo(replay.epochs[1]?.from ?? 0, 0);
    expect(last?.from).toBeGreaterThan(next?.to ?? 0);
    for (const clip of answer.clips) await expectCleanClip(clip.path);
    expect((await third.status()).recovery).toBeNull();
    expect(readdirSync(place.mirror)).toHaveLength(1); // its own
    expectProblem(await third.api('POST', '/api/recovery/save'), 404, 'not-found');

    await third.stop();
    expect(existsSync(place.mirror)).toBe(false);
  },
);

test('a leftover goes only when the user says so', { timeout: 120_000 }, async () => {
  const place = world({ mirror: true });
  const first = await place.studio();
  await first.start('test-pattern');
  await first.holds(2);
  await first.crash();
  const second = await place.studio();
  await recovered(second);
  await second.stop();
  expect(segments(place.mirror).length).toBeGreaterThan(0);

  const third = await place.studio();
  await recovered(third);
  expect((await third.api('DELETE', '/api/recovery')).status).toBe(204);
  expect((await third.status()).recovery).toBeNull();
  expect(existsSync(place.mirror)).toBe(false);
  expectProblem(await third.api('DELETE', '/api/recovery'), 404, 'not-found');
});

test('off by default; turned on and off while live', { timeout: 120_000 }, async () => {
  const place = world({ mirror: false });
  const first = await place.studio();
  await first.start('test-pattern');
  await first.holds(2);
  expect(existsSync(place.mirror)).toBe(false);

  await switchMirror(first, true);
  await until(
    'a segment',
    5000,
    () => existsSync(place.mirror) && segments(place.mirror).some((file) => statSync(file).size > 0),
    Boolean,
  );
  await switchMirror(first, false);
  expect(existsSync(place.mirror)).toBe(false);

  await switchMirror(first, true);
  const before = (await first.status()).replay.secondsHeld;
  const { secondsHeld } = (await first.holds(before + 4)).replay;
  await first.crash();
  const second = await place.studio();
  const seconds = await recovered(second);
  // it begins with the first keyframe after the switch
  expect(seconds).toBeGreaterThan(secondsHeld - before - 1 - LOST_SECONDS);
  expect(seconds).toBeLessThan(secondsHeld);
});

test('what the user clears does not come back', { timeout: 120_000 }, async () => {
  const place = world({ mirror: true });
  const first = await place.studio();
  await first.start('test-pattern');
  const { replay } = await first.holds(4);
  await asked(first, (client) => client.call(procedures.clearReplay, undefined));
  const clearedAt = Date.now() / 1000;
  await first.holds(2);
  await first.crash();
  const second = await place.studio();
  await recovered(second);
  const { recovery } = await second.status();
  expect(recovery?.from).toBeGreaterThan(clearedAt - 0.5);
  expect(recovery?.seconds).toBeLessThan(replay.secondsHeld);
});
