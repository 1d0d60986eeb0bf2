import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../../../test/support/wait.ts';
import type { PushStatus, PushTarget } from '../../../contract/index.ts';
import { fixture, ringOf } from '../replay/testing/ring.ts';
import { PushFiles, outputProtocols, type PushAbilities } from './files.ts';
import { Push } from './push.ts';

/** Instead of ffmpeg: notes its arguments and the preset, says what it took, and fails while a file `refuse` lies beside it. */
const STUB = `#!${process.execPath}
const fs = require('fs'), path = require('path');
const folder = __dirname, args = process.argv.slice(2), preset = args[args.indexOf('-fpre') + 1];
fs.appendFileSync(folder + '/calls', JSON.stringify({ args, preset: args.includes('-fpre') && fs.readFileSync(preset, 'utf8'),
  mode: args.includes('-fpre') && (fs.statSync(preset).mode & 0o777).toString(8) }) + '\\n');
if (fs.existsSync(folder + '/refuse')) { console.error('Server error: KEY-1 is Already publishing'); process.exit(1); }
let bytes = 0;
const say = () => fs.writeSync(3, 'total_size=' + bytes + '\\n');
process.stdin.on('data', (chunk) => { bytes += chunk.length; say(); }).on('end', () => process.exit(0));
setInterval(say, 100);
`;

let folder = '';
let push: Push;
let saved: PushTarget[] = [];
let lines: string[] = [];
let abilities: PushAbilities;
const keys = new Map<string, string>();
const { ring } = ringOf();
ring.write(fixture('h264-aac.ts'));

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'pitwall-push-'));
  await writeFile(path.join(folder, 'ffmpeg'), STUB);
  await chmod(path.join(folder, 'ffmpeg'), 0o700);
  abilities = { protocols: new Set(['rtmp', 'rtmps']), presets: true };
  [saved, lines] = [[], []];
  keys.clear();
  push = new Push([], {
    ring,
    ffmpeg: async () =>
      Promise.resolve({
        ffmpeg: path.join(folder, 'ffmpeg'),
        ffprobe: '',
        version: '5.1.9',
        devices: new Set<string>(),
        encoders: new Set<string>(),
      }),
    abilities: { of: async () => Promise.resolve(abilities) },
    files: new PushFiles(path.join(folder, 'push'), {}),
    keys: {
      get: (name) => keys.get(name),
      set: async (name, text) => {
        if (text === '') keys.delete(name);
        else keys.set(name, text);
        return Promise.resolve();
      },
    },
    save: async (targets) => {
      saved = targets;
      return Promise.resolve();
    },
    log: pino({}, { write: (line) => void lines.push(line) }),
    clock: () => performance.now() / 1000,
    now: () => Date.now() / 1000,
    onChange: () => undefined,
  });
});
afterEach(async () => {
  await push.close();
  await rm(folder, { recursive: true, force: true });
});

const status = (): PushStatus => {
  const [first] = push.statuses;
  if (!first) throw new Error('no target');
  return first;
};
const reaches = (state: PushStatus['state']) => until(state, 5000, status, (now) => now.state === state);
const calls = async (): Promise<string[]> =>
  (await readFile(path.join(folder, 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean);

it('goes from off over waiting to live and back, and hands the key over in a file that is gone at once', async () => {
  await mkdir(path.join(folder, 'push'));
  await writeFile(path.join(folder, 'push', 'left.ffpreset'), 'rtmp_playpath=of a run that was killed');
  await push.start();
  const { id } = await push.set({ name: 'Twitch', url: 'rtmp://host/app', key: 'KEY-1' });
  expect(status()).toMatchObject({ id, state: 'off', hasKey: true, enabled: false, kbps: null });
  await push.enable(id, true);
  expect(status().state).toBe('waiting');
  push.follow('h264');
  await reaches('live');
  const [call = ''] = await calls();
  expect(JSON.parse(call)).toMatchObject({ preset: 'rtmp_playpath=KEY-1\n', mode: '600' });
  expect(call).toContain('"-fpre"');
  // once: in the file it was given
  expect(call.split('KEY-1')).toHaveLength(2);
  expect(await readdir(path.join(folder, 'push'))).toEqual([]);
  push.follow(undefined);
  expect(status().state).toBe('waiting');
  await push.enable(id, false);
  expect(status().state).toBe('off');
  expect(saved).toEqual([{ id, name: 'Twitch', url: 'rtmp://host/app', enabled: false }]);
});

it('is tried again when refused, says why, and is live once it is taken; the key is in no word of it', async () => {
  await writeFile(path.join(folder, 'refuse'), '');
  const { id } = await push.set({ name: 'Twitch', url: 'rtmp://host/app', key: 'KEY-1' });
  await push.enable(id, true);
  push.follow('h264');
  await until('a second try', 5000, () => status().attempt >= 2);
  expect(status()).toMatchObject({
    state: 'retrying',
    error: { code: 'push-failed', message: 'The server refuses the stream.' },
  });
  await rm(path.join(folder, 'refuse'));
  await reaches('live');
  expect(status().attempt).toBe(0);
  expect(status().error).toBeUndefined();
  expect(lines.join('') + JSON.stringify(push.statuses)).not.toContain('KEY-1');
});

it('says what this ffmpeg cannot do', async () => {
  const { id } = await push.set({ name: 'x', url: 'srt://host:9000', key: 'KEY-1' });
  await push.enable(id, true);
  push.follow('h264');
  await until('a failure', 5000, () => status().error?.message === 'This ffmpeg does not know srt.');
  await push.set({ id, name: 'x', url: 'rtmp://host/app', key: 'k' });
  push.follow('hevc');
  await until('a failure', 5000, () => (status().error?.message ?? '').includes('HEVC cannot go over RTMP'));
  expect(await calls()).toEqual([]);
});

it('keeps a key for its server only, and the place of a target in the list', async () => {
  const [a, b] = [
    await push.set({ name: 'a', url: 'rtmp://host/app', key: 'KEY-1' }),
    await push.set({ name: 'b', url: 'rtmp://other/app', key: 'KEY-2' }),
  ];
  await push.set({ id: a.id, name: 'a2', url: 'rtmp://host/app2' });
  expect(push.statuses.map(({ name, hasKey }) => [name, hasKey])).toEqual([
    ['a2', true],
    ['b', true],
  ]);
  await expect(push.set({ id: a.id, name: 'a3', url: 'rtmp://evil/app' })).rejects.toMatchObject({
    code: 'bad-request',
  });
  await push.set({ id: a.id, name: 'a3', url: 'rtmp://evil/app/open' });
  expect(push.statuses.map(({ name, hasKey }) => [name, hasKey])).toEqual([
    ['a3', false],
    ['b', true],
  ]);
  await push.delete(b.id);
  expect([...keys.keys()]).toEqual([]);
  await expect(push.delete(b.id)).rejects.toMatchObject({ code: 'not-found' });
  for (let i = 0; i < 7; i += 1) await push.set({ name: 'n', url: 'rtmp://host/app/x' });
  await expect(push.set({ name: 'n', url: 'rtmp://host/app/x' })).rejects.toMatchObject({ code: 'conflict' });
});

it('takes the key as an argument where ffmpeg reads no presets', async () => {
  abilities = { ...abilities, presets: false };
  const { id } = await push.set({ name: 'x', url: 'rtmp://host/app', key: 'KEY-1' });
  await push.enable(id, true);
  push.follow('h264');
  await reaches('live');
  expect((await calls())[0]).toContain('"-rtmp_playpath","KEY-1"');
});

it('knows the protocols ffmpeg writes to', () =>
  expect([
    ...outputProtocols('Supported file protocols:\nInput:\n  async\n  rtmp\nOutput:\n  file\n  rtmps\n'),
  ]).toEqual(['file', 'rtmps']));
