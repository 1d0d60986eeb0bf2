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
import { expectCleanClip } from '../test/support/media.ts';
import { type Pulse, startPulse } from '../test/support/pulse.ts';
import { run } from '../test/support/processes.ts';
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

const audioTracks = async (file: string): Promise<number> => {
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'a',
    '-show_entries',
    'stream=index',
    '-of',
    'csv=p=0',
    file,
  ]);
  return new Set(
    stdout
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== ''),
  ).size;
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Power of a frequency among samples, as a share of all there is, 0 to 1 (Goertzel). */
function shareOf(samples: Int16Array, hertz: number): number {
  const k = 2 * Math.cos((2 * Math.PI * hertz) / 48_000);
  let [a, b, all] = [0, 0, 0];
  for (const sample of samples) {
    [a, b] = [sample + k * a - b, a];
    all += sample * sample;
  }
  return all === 0 ? 0 : ((a * a + b * b - k * a * b) * 2) / samples.length / all;
}

/** Share of a track's last second that is a sine of this frequency: the mean over 50 ms each, since a player that is late loses its phase. */
async function share(file: string, track: number, hertz: number): Promise<number> {
  const decode = [
    '-v',
    'error',
    '-i',
    file,
    '-map',
    `0:a:${track}`,
    '-ac',
    '1',
    '-ar',
    '48000',
    '-f',
    's16le',
    'pipe:1',
  ];
  const { stdout } = await run('ffmpeg', decode);
  const samples = new Int16Array(new Uint8Array(stdout.subarray(stdout.length % 2)).buffer).slice(-48_000);
  const shares = Array.from({ length: 20 }, (_, i) => shareOf(samples.subarray(i * 2400, (i + 1) * 2400), hertz));
  return mean(shares);
}

const codes = ({ state }: World): string[] => state().health.problems.map(({ code }) => code);

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

test('desktop and microphone are tracks beside their mix; a device that goes is silent, the picture goes on, and it comes back by itself', async () => {
  const world = await startWorld();
  const { studio, pulse, state } = world;
  expect(state().audio).toMatchObject({ unavailable: null });
  const headset = (): Promise<string> =>
    pulse.load(
      'module-remap-source',
      'master=voice.monitor',
      'source_name=headset',
      'source_properties=device.description=Headset',
    );
  const plugged = await headset();
  const hotPlug = performance.now();
  await until('the headset', 3000, () => state().audio.devices.some(({ name }) => name === 'Headset'));
  process.stdout.write(
    `measured: a device is listed ${Math.round(performance.now() - hotPlug)} ms after it is there\n`,
  );
  expect(state().audio.devices).toEqual(
    expect.arrayContaining([
      { id: 'game.monitor', name: 'Game', role: 'desktop', isDefault: true },
      { id: 'headset', name: 'Headset', role: 'microphone', isDefault: true },
    ]),
  );
  await pulse.tone('game', 440);
  await pulse.tone('voice', 1000);
  await listen(world, { microphone: { enabled: true, device: { id: 'other', name: 'Headset' } } });
  await studio.start('screen:0');
  await until(
    'both to be heard',
    10_000,
    () => state().audio.tracks.length === 2 && state().audio.tracks.every(({ rmsDb }) => (rmsDb ?? -120) > -40),
  );
  await goesOn(world, 2);

  const file = await newest(world, 2);
  const shares = await Promise.all(
    [0, 1, 2].map(async (track) => [await share(file, track, 440), await share(file, track, 1000)]),
  );
  const [mix = [], desktop = [], microphone = []] = shares.map((each) =>
    each.map((value) => Math.round(value * 10) / 10),
  );
  expect({ mix, desktop, microphone }).toEqual({ mix: [0.5, 0.5], desktop: [1, 0], microphone: [0, 1] });
  for (const format of ['mp4', 'mkv', 'ts'] as const) {
    const { clips } = await studio.save({ seconds: 2, format });
    expect({ format, tracks: await audioTracks(clips[0]?.path ?? '') }).toEqual({ format, tracks: 3 });
    await expectCleanClip(clips[0]?.path ?? '');
  }

  await pulse.unload(plugged);
  await until('the lost headset to be told', 3000, () => codes(world).includes('audio-device-lost'));
  expect(state().health.problems.find(({ code }) => code === 'audio-device-lost')?.message).toContain('"Headset"');
  await goesOn(world, 2);
  await headset();
  await until(
    'the headset to be heard again',
    5000,
    () => (state().audio.tracks[1]?.rmsDb ?? -120) > -40 && !codes(world).includes('audio-device-lost'),
  );

  // nothing comes of a suspended output, unless the server moves who plays and listens to another one: the picture goes on either way
  await pulse.pactl('suspend-sink', 'game', '1');
  await goesOn(world, 2);
  await pulse.pactl('suspend-sink', 'game', '0');

  await pulse.stop();
  await until('the lost outputs to be told', 5000, () => codes(world).includes('audio-device-lost'));
  await goesOn(world, 2);
});

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
