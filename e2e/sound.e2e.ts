import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { DEFAULT_AUDIO, type AudioSettings } from '../src/contract/audio.ts';
import { procedures } from '../src/contract/procedures.ts';
import type { StudioState } from '../src/contract/state.ts';
import { connectContract, type ContractClient } from '../src/contract/wire/client.ts';
import { wsWire } from '../src/contract/wire/ws.ts';
import { skews } from '../test/support/av-sync.ts';
import { type Pulse, startPulse } from '../test/support/pulse.ts';
import { type RunningStudio, startStudio } from '../test/support/studio.ts';
import { until, within } from '../test/support/wait.ts';
import { startXvfb } from '../test/support/xvfb.ts';

const FLASH = resolve(import.meta.dirname, '../test/support/flash_beep.py');

type World = {
  studio: RunningStudio;
  pulse: Pulse;
  client: ContractClient;
  state: () => StudioState;
  display: string;
  folder: string;
};

/** A display, a sound server with two outputs and a headset that hears the second, and a studio that knows them. */
async function startWorld(): Promise<World> {
  const xvfb = await startXvfb({ width: 320, height: 180 });
  onTestFinished(() => xvfb.stop());
  const folder = mkdtempSync(join(tmpdir(), 'pitwall-sound-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const runtime = join(folder, 'run');
  mkdirSync(runtime, { mode: 0o700 });
  const pulse = await startPulse(runtime, folder);
  await pulse.load('module-null-sink', 'sink_name=game', 'rate=48000', 'sink_properties=device.description=Game');
  await pulse.load('module-null-sink', 'sink_name=voice', 'rate=48000', 'sink_properties=device.description=Voice');
  await pulse.pactl('set-default-sink', 'game');
  const studio = await startStudio({ display: xvfb.display, env: { XDG_RUNTIME_DIR: runtime } });
  const socket = new WebSocket(`${studio.url.replace(/^http/, 'ws')}rpc`);
  await within('the socket', 5000, new Promise((opened) => socket.once('open', opened)));
  const client = connectContract(wsWire(socket));
  onTestFinished(() => client.close());
  const latest: StudioState[] = [];
  client.events(procedures.watchState, (event) => {
    const [before] = latest;
    if (event.type === 'snapshot') latest[0] = event.state;
    else if (before) Object.assign(before, event.changed);
  });
  await until('the state', 5000, () => latest.length > 0);
  const state = (): StudioState => {
    const [now] = latest;
    if (!now) throw new Error('no state yet');
    return now;
  };
  return { studio, pulse, client, state, display: xvfb.display, folder };
}

const listen = async ({ client }: World, audio: Partial<AudioSettings>): Promise<void> => {
  await client.call(procedures.updateSettings, { audio: { ...DEFAULT_AUDIO, ...audio } });
};

/** The newest seconds of the buffer, as a file. */
async function newest({ studio, folder }: World, seconds: number): Promise<string> {
  const response = await fetch(new URL(`video?seconds=${seconds}`, studio.url));
  const file = join(folder, 'newest.ts');
  await writeFile(file, Buffer.from(await response.arrayBuffer()));
  return file;
}

/** Pictures go on: this much more of the same epoch within twice the time. */
async function goesOn({ studio }: World, seconds: number): Promise<void> {
  const before = await studio.status();
  const after = await until(
    `${seconds} s more`,
    seconds * 2000 + 2000,
    () => studio.status(),
    ({ replay }) => replay.liveSeconds >= before.replay.liveSeconds + seconds,
  );
  expect(after.replay.epochs.at(-1)?.id).toBe(before.replay.epochs.at(-1)?.id);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('sound and picture belong together within 40 ms, and the offset moves the sound by what it says', async () => {
  const world = await startWorld();
  const { studio, pulse, display, state } = world;
  const source = spawn('/usr/bin/python3', [FLASH, 'game', 'Flash', '320', '180'], {
    env: { ...pulse.env, DISPLAY: display },
    stdio: 'ignore',
  });
  onTestFinished(() => void source.kill('SIGKILL'));
  await until('the flashes', 10_000, async () => (await pulse.pactl('list', 'short', 'sink-inputs')) !== '');
  // a picture is seen up to one picture late
  await world.client.call(procedures.updateSettings, { fps: 60 });
  await studio.start('screen:0');
  const measure = async (): Promise<number> => {
    await goesOn(world, 7);
    const found = await skews(await newest(world, 6));
    expect(found.length).toBeGreaterThanOrEqual(4);
    return mean(found);
  };
  const before = await measure();
  const asked = performance.now();
  const epochs = state().replay.epochs.length;
  await listen(world, { offsetMs: 100 });
  await until('the new epoch', 5000, () => state().replay.epochs.length > epochs && state().session.state === 'live');
  const ms = Math.round(performance.now() - asked);
  const after = await measure();
  process.stdout.write(
    `measured: sound ${Math.round(before * 1000)} ms after its picture, ${Math.round((after - before) * 1000)} ms more when moved by 100; live again after ${ms} ms\n`,
  );
  expect(Math.abs(before)).toBeLessThan(0.04);
  expect(Math.abs(after - before - 0.1)).toBeLessThan(0.015);
});
