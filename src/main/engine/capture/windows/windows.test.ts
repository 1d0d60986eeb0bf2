import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import type { Source } from '../../../../contract/index.ts';
import type { AskProgram } from '../../ffmpeg/abilities.ts';
import type { SourceEvent } from '../backend.ts';
import { windowsBackend } from './backend.ts';
import { parseWinDesktop, partOf, type WinPlace } from './desktop.ts';
import { ddagrabInput, gdigrabDesktopInput, gdigrabWindowInput, gfxcaptureInput } from './inputs.ts';

const fixture = (name: string): string => readFileSync(resolve('test/fixtures/devices', name), 'utf8');
const FFMPEG = {
  ffmpeg: 'ffmpeg.exe',
  ffprobe: 'ffprobe.exe',
  version: '8.0',
  devices: new Set(['gdigrab', 'dshow', 'lavfi']),
  encoders: new Set<string>(),
};
const get = async () => Promise.resolve(FFMPEG);
const never = new AbortController().signal;

/** As PowerShell's ConvertTo-Json writes what our script collects; written after its documentation, not captured. */
const DESKTOP = JSON.stringify({
  windows: [
    { hwnd: '394382', title: 'AC2  ', process: 'AC2-Win64-Shipping' },
    { hwnd: '65938', title: 'Assetto Corsa - YouTube - Google Chrome', process: 'chrome' },
  ],
  screens: [
    { x: 0, y: 0, width: 2560, height: 1440, primary: true },
    { x: -1920, y: 200, width: 1920, height: 1080, primary: false },
  ],
});
const PLACE: WinPlace = { x: 100, y: 80, width: 1280, height: 720, minimised: false };
const NEW = ' .. ddagrab |->V Grab\n .. gfxcapture |->V Capture\n';
const OLD = ' ... ddagrab           |->V       Grab Windows Desktop images using Desktop Duplication API\n';

/** A double of a Windows computer: PowerShell, ffmpeg and the watch answer from here. */
function computer(filters: string) {
  let tell: (place: WinPlace | undefined) => void = () => undefined;
  const stopped = vi.fn();
  const ask: AskProgram = async (command, args) => {
    const answer = (stdout: string, stderr = '', code = 0) =>
      Promise.resolve({ code, stdout: Buffer.from(stdout), stderr: stderr.split('\n') });
    if (command === 'powershell.exe') return answer(`\uFEFF${DESKTOP}`);
    if (args.includes('-filters')) return answer(filters);
    if (args.includes('-list_devices')) return answer('', fixture('dshow-5.txt'), 1);
    if (args.includes('-list_options')) return answer('', fixture('dshow-modes.txt'), 1);
    return answer('', '', 1);
  };
  const backend = windowsBackend({
    log: pino({ level: 'silent' }),
    ask,
    watchWindow: (_, onPlace) => {
      tell = onPlace;
      queueMicrotask(() => onPlace(PLACE));
      return stopped;
    },
  });
  return {
    backend,
    stopped,
    move: (place: WinPlace | undefined) => tell(place),
    find: async (id: string): Promise<Source> => {
      const source = (await backend.list(never, get)).find((candidate) => candidate.id === id);
      if (!source) throw new Error(`no ${id}`);
      return source;
    },
  };
}

describe('Windows', () => {
  it('offers windows with their game, screens and cameras', async () => {
    const found = await computer(NEW).backend.list(never, get);
    expect(found).toEqual([
      {
        id: 'window:0x6048e',
        kind: 'window',
        name: 'AC2  ',
        app: 'Assetto Corsa Competizione',
        suggested: true,
        available: true,
      },
      expect.objectContaining({ id: 'window:0x10192', app: 'chrome.exe', suggested: false }),
      expect.objectContaining({ id: 'screen:0', name: 'Whole screen', width: 2560, height: 1440 }),
      expect.objectContaining({ id: 'screen:1', name: 'Screen 2', width: 1920, height: 1080 }),
      expect.objectContaining({ kind: 'camera', name: 'OBS Virtual Camera' }),
    ]);
  });

  it('says on the card when a window can be captured as its part of the screen only', async () => {
    expect((await computer(OLD).find('window:0x6048e')).hint).toContain('what lies on top of it is seen too');
  });

  it('captures a window by Graphics Capture, then by title: by itself never as a part of the screen that others may cover', async () => {
    const { backend, find } = computer(NEW);
    const open = await backend.open(await find('window:0x6048e'), FFMPEG, () => undefined, never);
    expect(open.method).toBe('gfxcapture');
    expect(open.caution).toBeUndefined();
    expect(open.state()).toEqual({ width: 1280, height: 720, hidden: false, gone: false });
    expect(open.input(60)).toEqual(gfxcaptureInput(394382, 60));
    expect(open.nextMethod?.()).toEqual({ method: 'gdigrab' });
    expect(open.input(60)).toEqual(gdigrabWindowInput('AC2  ', 60));
    expect(open.nextMethod?.()).toBeUndefined();
    expect(open.method).toBe('gdigrab');
  });

  it('tells of a window that moves, is minimised and closes', async () => {
    const { backend, find, move, stopped } = computer(OLD);
    const events: SourceEvent['type'][] = [];
    const open = await backend.open(await find('window:0x6048e'), FFMPEG, ({ type }) => void events.push(type), never);
    expect(open.method).toBe('ddagrab-crop');
    expect(open.caution).toContain('what lies on top of it');
    expect(open.input(60)).toEqual(ddagrabInput(0, { x: 100, y: 80, width: 1280, height: 720 }, 60, false));
    move({ ...PLACE, x: -1900, y: 250 });
    expect(open.input(30)).toEqual(ddagrabInput(1, { x: 20, y: 50, width: 1280, height: 720 }, 30, false));
    expect(open.state().place).toBe('-1900,250');
    move({ ...PLACE, minimised: true });
    expect(open.state().hidden).toBe(true);
    move(PLACE);
    move(undefined);
    expect(open.state().gone).toBe(true);
    expect(events).toEqual(['resized', 'hidden', 'shown', 'gone']);
    await open.release();
    expect(stopped).toHaveBeenCalledOnce();
  });

  it('captures screens and regions of them', async () => {
    const { backend, find } = computer(NEW);
    const screen = await find('screen:1');
    const open = await backend.open(screen, FFMPEG, () => undefined, never);
    expect(open.input(30)).toEqual(ddagrabInput(1, undefined, 30, true));
    expect(open.nextMethod?.()).toEqual({ method: 'gdigrab' });
    expect(open.input(30)).toEqual(gdigrabDesktopInput({ x: -1920, y: 200, width: 1920, height: 1080 }, 30));
    const region = await backend.open({ ...screen, id: 'region:1:10,20,640x360' }, FFMPEG, () => undefined, never);
    expect(region.input(30)).toEqual(ddagrabInput(1, { x: 10, y: 20, width: 640, height: 360 }, 30, true));
    expect(region.state()).toMatchObject({ width: 640, height: 360 });
  });

  it('captures a camera by DirectShow', async () => {
    const { backend } = computer(NEW);
    const camera = (await backend.list(never, get)).find(({ kind }) => kind === 'camera');
    if (!camera) throw new Error('no camera');
    const open = await backend.open(camera, FFMPEG, () => undefined, never);
    expect(open.input(30).at(-1)).toBe(
      'video=@device_sw_{860BB310-5D01-11D0-BD3B-00A0C911CE86}\\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}',
    );
    expect(open.state()).toMatchObject({ width: 1920, height: 1080 });
  });
});

describe('the commands of Windows', () => {
  it('are these', () => {
    expect(gfxcaptureInput(394382, 60).join(' ')).toMatchInlineSnapshot(
      `"-thread_queue_size 64 -f lavfi -i gfxcapture=hwnd=394382:max_framerate=60:capture_cursor=0:display_border=0:resize_mode=scale_aspect,hwdownload,format=pix_fmts=bgra"`,
    );
    expect(ddagrabInput(1, { x: 10, y: 20, width: 640, height: 360 }, 30, true).join(' ')).toMatchInlineSnapshot(
      `"-thread_queue_size 64 -f lavfi -i ddagrab=output_idx=1:framerate=30:draw_mouse=1:offset_x=10:offset_y=20:video_size=640x360,hwdownload,format=pix_fmts=bgra"`,
    );
    expect(gdigrabWindowInput('AC2  ', 30).join(' ')).toMatchInlineSnapshot(
      `"-thread_queue_size 64 -f gdigrab -framerate 30 -draw_mouse 0 -i title=AC2  "`,
    );
    expect(gdigrabDesktopInput({ x: -1920, y: 200, width: 1920, height: 1080 }, 30).join(' ')).toMatchInlineSnapshot(
      `"-thread_queue_size 64 -f gdigrab -framerate 30 -draw_mouse 1 -offset_x -1920 -offset_y 200 -video_size 1920x1080 -i desktop"`,
    );
  });

  it('hand over a title as it is, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (title) => {
        const args = gdigrabWindowInput(title, 30);
        expect(args.at(-1)).toBe(`title=${title}`);
        expect(args).toHaveLength(10);
        expect(args.at(-2)).toBe('-i');
      }),
    );
  });
});

describe('what PowerShell answers', () => {
  it('may be one window instead of a list, or none', () => {
    const one = { hwnd: '1', title: 'a', process: 'b' };
    const screen = { x: 0, y: 0, width: 1, height: 1, primary: true };
    expect(parseWinDesktop(JSON.stringify({ windows: one, screens: screen }))).toEqual({
      windows: [{ ...one, hwnd: 1 }],
      screens: [screen],
    });
    expect(parseWinDesktop(JSON.stringify({ windows: null, screens: [] }))).toEqual({ windows: [], screens: [] });
    for (const text of ['', 'x', '[]', '{"windows":[{"hwnd":"; rm","title":"a","process":"b"}],"screens":[]}'])
      expect(parseWinDesktop(text)).toEqual({ windows: [], screens: [] });
  });

  it('gives the part of the screen that shows most of a window', () => {
    const { screens } = parseWinDesktop(DESKTOP);
    expect(partOf({ x: -100, y: 300, width: 400, height: 300 }, screens)).toEqual({
      screen: 0,
      part: { x: 0, y: 300, width: 300, height: 300 },
    });
    expect(partOf({ x: 9000, y: 0, width: 400, height: 300 }, screens)).toBeUndefined();
  });
});
