import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Source } from '../../../../contract/index.ts';
import type { AskProgram } from '../../ffmpeg/abilities.ts';
import { macBackend } from './backend.ts';
import { cropOf, parseMacDesktop, type MacDesktop } from './desktop.ts';
import { avfoundationScreenInput, cropFilter } from './inputs.ts';

const fixture = (name: string): string => readFileSync(resolve('test/fixtures/devices', name), 'utf8');
const FFMPEG = {
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffprobe',
  version: '7.1',
  devices: new Set(['avfoundation', 'lavfi']),
  encoders: new Set<string>(),
};
const get = async () => Promise.resolve(FFMPEG);
const never = new AbortController().signal;

/** A retina screen with an ordinary one right of it: sizes as people report them of such Macs, in points. */
const SCREENS = [
  { x: 0, y: 0, width: 1728, height: 1117, scale: 2 },
  { x: 1728, y: 0, width: 1920, height: 1080, scale: 1 },
];
const GAME = { id: 77, owner: 'acs.exe', title: 'Assetto Corsa', x: 100, y: 50, width: 1280, height: 748 };
const BROWSER = { id: 12, owner: 'Safari', title: 'Assetto Corsa', x: 0, y: 0, width: 800, height: 600 };

/** A double of a Mac: osascript and ffmpeg answer from here. */
function mac(windows: MacDesktop['windows'] = [GAME, BROWSER]) {
  let desktop: MacDesktop = { screens: SCREENS, windows };
  const ask: AskProgram = async (command, args) => {
    const answer = (stdout: string, stderr: string, code = 0) =>
      Promise.resolve({ code, stdout: Buffer.from(stdout), stderr: stderr.split('\n') });
    if (command === '/usr/bin/osascript') return answer(JSON.stringify(desktop), '');
    if (args.includes('-list_devices')) return answer('', fixture('avfoundation-m1.txt'), 1);
    if (args.includes('1x1')) return answer('', fixture('avfoundation-modes.txt'), 1);
    return answer('', '  Stream #0:0: Video: rawvideo (BGR[0] / 0x524742), bgr0, 3456x2234, 1000k tbr', 0);
  };
  const backend = macBackend({ log: pino({ level: 'silent' }), ask });
  return {
    backend,
    show: (...now: MacDesktop['windows']) => (desktop = { screens: SCREENS, windows: now }),
    find: async (id: string): Promise<Source> => {
      const source = (await backend.list(never, get)).find((candidate) => candidate.id === id);
      if (!source) throw new Error(`no ${id}`);
      return source;
    },
  };
}

describe('a Mac', () => {
  it('offers windows, screens with their physical size and cameras', async () => {
    const found = await mac().backend.list(never, get);
    expect(found.map(({ id, kind, name }) => [id, kind, name])).toEqual([
      ['window:0x4d', 'window', 'Assetto Corsa'],
      ['window:0xc', 'window', 'Assetto Corsa'],
      ['camera:OBS Virtual Camera', 'camera', 'OBS Virtual Camera'],
      ['camera:FaceTime HD Camera', 'camera', 'FaceTime HD Camera'],
      ['screen:0', 'screen', 'Whole screen'],
      ['screen:1', 'screen', 'Screen 2'],
      ['screen:2', 'screen', 'Screen 3'],
    ]);
    expect(found.map(({ suggested }) => suggested)).toEqual([true, false, false, false, false, false, false]);
    expect(found[4]).toMatchObject({ width: 3456, height: 2234 });
    expect(found[6]).not.toHaveProperty('width');
    expect(found[0]?.hint).toContain('what lies on top of it is seen too');
  });

  it('captures a screen, and a region of it', async () => {
    const { backend, find } = mac();
    const screen = await find('screen:0');
    const open = await backend.open(screen, FFMPEG, () => undefined, never);
    expect(open.state()).toMatchObject({ width: 3456, height: 2234 });
    expect(open.input(60)).toEqual(avfoundationScreenInput(2, 60, true));
    const region = { ...screen, id: 'region:1:10,20,640x360' };
    const part = await backend.open(region, FFMPEG, () => undefined, never);
    expect(part.input(30)).toEqual(avfoundationScreenInput(3, 30, true));
    expect(part.filters?.()).toEqual(['crop=w=640:h=360:x=10:y=20']);
  });

  it('captures a window as its part of the screen, follows it and notices its end', async () => {
    const { backend, find, show } = mac();
    const events: string[] = [];
    const open = await backend.open(await find('window:0x4d'), FFMPEG, ({ type }) => void events.push(type), never);
    onTestFinished(async () => open.release());
    expect(open.state()).toMatchObject({ width: 2560, height: 1496, hidden: false });
    expect(open.filters?.()).toEqual(['crop=w=2560:h=1496:x=200:y=100']);
    expect(open.input(30)).toEqual(avfoundationScreenInput(2, 30, false));
    show({ ...GAME, x: 2000, y: 0 });
    await vi.waitFor(() => expect(events).toEqual(['resized']), 5000);
    expect(open.filters?.()).toEqual(['crop=w=1280:h=748:x=272:y=0']);
    expect(open.input(30)).toEqual(avfoundationScreenInput(3, 30, false));
    show(BROWSER);
    await vi.waitFor(() => expect(events).toEqual(['resized', 'gone']), 5000);
    expect(open.state().gone).toBe(true);
  });

  it('captures a camera by its number of now, in a mode it has', async () => {
    const { backend, find } = mac();
    const open = await backend.open(await find('camera:FaceTime HD Camera'), FFMPEG, () => undefined, never);
    expect(open.state()).toMatchObject({ width: 1920, height: 1080 });
    expect(open.input(30).join(' ')).toMatchInlineSnapshot(
      `"-thread_queue_size 64 -f avfoundation -framerate 30.000000 -video_size 1920x1080 -i 1:none"`,
    );
  });

  it('says what is missing', async () => {
    const { backend, find } = mac();
    const source = await find('screen:0');
    await expect(
      backend.open(source, { ...FFMPEG, devices: new Set<string>() }, () => undefined, never),
    ).rejects.toMatchObject({ code: 'ffmpeg-unsuitable' });
    await expect(backend.open({ ...source, id: 'window:0x99' }, FFMPEG, () => undefined, never)).rejects.toMatchObject({
      code: 'source-gone',
    });
  });
});

it('the command for a screen', () => {
  expect(avfoundationScreenInput(2, 30, true).join(' ')).toMatchInlineSnapshot(
    `"-thread_queue_size 64 -f avfoundation -framerate 30 -pixel_format bgr0 -capture_cursor 1 -i 2:none"`,
  );
  expect(cropFilter({ x: 1, y: 2, width: 30, height: 40 })).toBe('crop=w=30:h=40:x=1:y=2');
});

it('a window over two screens is cut at the edge of the one that shows most of it', () => {
  expect(cropOf({ ...GAME, x: 1628, width: 400 }, SCREENS)).toEqual({
    screen: 1,
    x: 0,
    y: 50,
    width: 300,
    height: 748,
  });
  expect(cropOf({ ...GAME, x: -5000 }, SCREENS)).toBeUndefined();
});

it('an answer that is none is an empty desktop', () => {
  for (const text of ['', 'null', '{}', '{"screens":[],"windows":[{"id":"x"}]}', 'execution error: -1743'])
    expect(parseMacDesktop(text)).toEqual({ screens: [], windows: [] });
});
