/**
 * What OBS Studio costs beside Pitwall and bare ffmpeg in the same run: each captures the same screen of 1280x720 at 30 fps with a moving window on it,
 * encodes it with x264 (ultrafast, zerolatency) and streams it to a local RTMP server. OBS is not installed by anything of ours: without it
 * the bench says so and ends. `--seconds=N` says for how long each is measured (20 otherwise).
 */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { SILENCE } from '../src/main/engine/audio/plan.ts';
import { captureArgs, x11ScreenInput } from '../src/main/engine/capture/args.ts';
import { encoderPlan } from '../src/main/engine/encoders/arguments.ts';
import { startChild } from '../src/main/engine/process/child.ts';
import { run } from '../test/support/processes.ts';
import { endChild, startXvfb } from '../test/support/xvfb.ts';
import { pause, runBench, say, until, type Bench } from './support/bench.ts';
import { openAppWindow } from './support/browser.ts';
import { fixed, table } from './support/figures.ts';
import { processorTime, usage } from './support/processes.ts';
import { startStudio } from './support/studio.ts';
import { timecodePage } from './support/timecode.ts';

const SIZE = { width: 1280, height: 720 };
const FPS = 30;
const SECONDS = 20;
const SETTLE_MS = 4000;
const KEY = 'obs-bench';

/** A profile and a scene prepared on disk: one screen, x264, RTMP to `server`. */
async function prepareObs(home: string, server: string): Promise<void> {
  const config = path.join(home, '.config', 'obs-studio');
  const profile = path.join(config, 'basic', 'profiles', 'bench');
  const scenes = path.join(config, 'basic', 'scenes');
  await Promise.all(
    [profile, scenes, path.join(home, 'run')].map(async (folder) => mkdir(folder, { recursive: true, mode: 0o700 })),
  );
  await writeFile(
    path.join(config, 'global.ini'),
    [
      '[General]',
      'FirstRun=true',
      'Pre19Defaults=false',
      'Pre21Defaults=false',
      'Pre23Defaults=false',
      'Pre24.1Defaults=false',
      'EnableAutoUpdates=false',
      '[Basic]',
      'Profile=bench',
      'ProfileDir=bench',
      'SceneCollection=bench',
      'SceneCollectionFile=bench',
      '',
    ].join('\n'),
  );
  await writeFile(
    path.join(profile, 'basic.ini'),
    [
      '[General]',
      'Name=bench',
      '[Video]',
      `BaseCX=${SIZE.width}`,
      `BaseCY=${SIZE.height}`,
      `OutputCX=${SIZE.width}`,
      `OutputCY=${SIZE.height}`,
      'FPSType=0',
      `FPSCommon=${FPS}`,
      '[Output]',
      'Mode=Advanced',
      '[AdvOut]',
      'Encoder=obs_x264',
      'ApplyServiceSettings=false',
      '',
    ].join('\n'),
  );
  await writeFile(
    path.join(profile, 'service.json'),
    JSON.stringify({ type: 'rtmp_custom', settings: { server, key: KEY, use_auth: false } }),
  );
  await writeFile(
    path.join(profile, 'streamEncoder.json'),
    JSON.stringify({ preset: 'ultrafast', tune: 'zerolatency', rate_control: 'CRF', crf: 23, keyint_sec: 1, bf: 0 }),
  );
  const item = { name: 'Screen', id: 1, visible: true, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 } };
  await writeFile(
    path.join(scenes, 'bench.json'),
    JSON.stringify({
      name: 'bench',
      current_scene: 'Scene',
      current_program_scene: 'Scene',
      scene_order: [{ name: 'Scene' }],
      sources: [
        { id: 'xshm_input', name: 'Screen', settings: { screen: 0, show_cursor: false } },
        { id: 'scene', name: 'Scene', settings: { items: [item], id_counter: 1 } },
      ],
    }),
  );
}

async function startObs(
  bench: Bench,
  display: string,
  server: string,
): Promise<{ pid: number; end: () => Promise<void> }> {
  const home = path.join(bench.folder, 'obs-home');
  await prepareObs(home, server);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    HOME: home,
    XDG_RUNTIME_DIR: path.join(home, 'run'),
    DISPLAY: display,
    QT_QPA_PLATFORM: 'xcb',
    LIBGL_ALWAYS_SOFTWARE: '1',
  };
  delete env['XDG_CONFIG_HOME'];
  // minimised: as somebody who plays has it, and without the cost of its preview
  const args = [
    '--multi',
    '--disable-updater',
    '--disable-missing-files-check',
    '--startstreaming',
    '--minimize-to-tray',
  ];
  const child = spawn('obs', args, { env, stdio: 'ignore' });
  bench.onEnd(async () => endChild(child));
  return { pid: child.pid ?? 0, end: async () => endChild(child) };
}

await runBench(async (bench) => {
  const installed = await run('obs', ['--version'], { env: { ...process.env, QT_QPA_PLATFORM: 'offscreen' } }).then(
    ({ stdout }) => /\d+\.\d+\.\d+/.exec(stdout.toString('utf8'))?.[0] ?? 'of an unknown version',
    () => undefined,
  );
  if (installed === undefined) {
    say(
      'OBS Studio is not installed here, so there is nothing to compare with (on Debian: apt-get install obs-studio).',
    );
    return;
  }
  const seconds = bench.seconds ?? SECONDS;
  const screen = await startXvfb(SIZE);
  bench.onEnd(async () => screen.stop());
  const { display } = screen;
  const html = path.join(bench.folder, 'timecode.html');
  await writeFile(html, timecodePage('Moving window'));
  await openAppWindow(bench, {
    display,
    url: pathToFileURL(html).href,
    place: { x: 0, y: 0, ...SIZE },
    name: 'source',
  });
  const studio = await startStudio(bench, display);
  const server = studio.rtmp.replace(/\/[^/]+$/, '');

  const rows: string[][] = [];
  const measure = async (name: string, root: number): Promise<void> => {
    await pause(SETTLE_MS);
    const before = await processorTime(root);
    const from = performance.now();
    await pause(seconds * 1000);
    const used = usage(before, await processorTime(root), (performance.now() - from) / 1000);
    rows.push([
      name,
      fixed(
        used.reduce((total, { percent }) => total + percent, 0),
        1,
      ),
    ]);
  };

  const bareFfmpeg = async (name: string): Promise<void> => {
    const child = startChild({
      name,
      command: bench.tools.ffmpeg,
      args: captureArgs({
        input: x11ScreenInput(display, { x: 0, y: 0, ...SIZE }, FPS),
        sound: SILENCE,
        encoder: encoderPlan('libx264', {
          fps: FPS,
          quality: 'performance',
          bitrateKbps: null,
          ...SIZE,
          renderNode: null,
        }),
        output: SIZE,
        fps: FPS,
        rtmpUrl: `${server}/bare`,
        watch: false,
        timestampOffset: 0,
      }),
      onStdout: () => undefined,
      onControlLine: () => undefined,
    });
    bench.onEnd(async () => child.stop());
    await measure(name, child.pid ?? 0);
    await child.stop({ quit: 'q' });
  };

  await measure('Pitwall, idle', studio.pid);
  await bareFfmpeg('bare ffmpeg, before');
  await studio.start('screen:0');
  await measure('Pitwall, all of it', studio.pid);
  await studio.stop();
  const obs = await startObs(bench, display, server);
  await until(30_000, 'OBS to stream', async () => {
    const { rtmp } = await studio.status();
    return JSON.stringify(rtmp).includes(KEY) ? true : undefined;
  });
  await measure(`OBS ${installed}`, obs.pid);
  await obs.end();
  await bareFfmpeg('bare ffmpeg, after');
  say(
    [
      table(['percent of one core', 'all'], rows),
      `${SIZE.width}x${SIZE.height} at ${FPS} fps, each over ${seconds} s; the RTMP server counts to Pitwall`,
    ].join('\n'),
  );
});
