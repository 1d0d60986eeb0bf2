import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AskProgram } from '../../ffmpeg/abilities.ts';
import { parseAvfoundationModes, parseDshowModes, parseV4l2Formats } from '../../ffmpeg/listings.ts';
import { avfoundationCameraInput, dshowInput, v4l2Input } from './inputs.ts';
import { chooseMode } from './modes.ts';
import { v4l2Backend } from './v4l2-backend.ts';

const fixture = (name: string): string => readFileSync(resolve('test/fixtures/devices', name), 'utf8');
const FFMPEG = {
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffprobe',
  version: '5.1.9',
  devices: new Set(['v4l2']),
  encoders: new Set<string>(),
};
const get = async () => Promise.resolve(FFMPEG);
const never = new AbortController().signal;

describe('the mode of a camera', () => {
  it('is 1080 lines at the rate asked for, compressed where uncompressed would be slow', () => {
    expect(chooseMode(parseV4l2Formats(fixture('v4l2-formats.txt')), 30)).toMatchObject({
      format: 'mjpeg',
      width: 1920,
      height: 1080,
    });
    expect(chooseMode(parseDshowModes(fixture('dshow-modes.txt')), 30)).toMatchObject({ width: 1920, height: 1080 });
    expect(chooseMode(parseAvfoundationModes(fixture('avfoundation-modes.txt')), 60)).toMatchObject({
      width: 640,
      fps: [60.00024, 60.00024],
    });
    expect(chooseMode(parseAvfoundationModes(fixture('avfoundation-modes.txt')), 30)).toMatchObject({ height: 1080 });
    expect(chooseMode([], 30)).toBeUndefined();
  });

  it('is uncompressed where that is fast, never what would have to be decoded as H.264, and small rather than none', () => {
    const mode = (format: string, width: number, height: number, compressed = false) => ({
      ...{ format, width, height, compressed },
    });
    expect(chooseMode([mode('mjpeg', 640, 480, true), mode('yuyv422', 640, 480)], 30)?.format).toBe('yuyv422');
    expect(chooseMode([mode('h264', 1920, 1080, true), mode('mjpeg', 1280, 720, true)], 30)?.format).toBe('mjpeg');
    expect(chooseMode([mode('yuyv422', 3840, 2160), mode('yuyv422', 320, 240)], 30)?.height).toBe(240);
  });
});

describe('the command for a camera', () => {
  const mode = { format: 'mjpeg', compressed: true, width: 1280, height: 720, fps: [5, 30] } as const;
  it('is the system’s', () => {
    expect(v4l2Input('/dev/video0', mode, 60).join(' ')).toMatchInlineSnapshot(
      `"-thread_queue_size 64 -f v4l2 -framerate 30 -input_format mjpeg -video_size 1280x720 -i /dev/video0"`,
    );
    expect(v4l2Input('/dev/video0', undefined, 30).join(' ')).toMatchInlineSnapshot(
      `"-thread_queue_size 64 -f v4l2 -i /dev/video0"`,
    );
    expect(dshowInput('Cam Link 4K', mode, 30).join(' ')).toMatchInlineSnapshot(
      `"-thread_queue_size 64 -f dshow -rtbufsize 256M -framerate 30 -video_size 1280x720 -vcodec mjpeg -i video=Cam Link 4K"`,
    );
    expect(dshowInput('A: "b", c', { ...mode, compressed: false, format: 'yuyv422' }, 30).at(-1)).toBe(
      'video=A: "b", c',
    );
    expect(avfoundationCameraInput(1, { ...mode, fps: [30.00003, 30.00003] }, 30).join(' ')).toMatchInlineSnapshot(
      `"-thread_queue_size 64 -f avfoundation -framerate 30.000030 -video_size 1280x720 -i 1:none"`,
    );
  });
});

/** Folders as the kernel shows two cameras, one with a second node for its metadata; no camera is behind them. */
function kernel() {
  const root = mkdtempSync(join(tmpdir(), 'pitwall-v4l2-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const sysfs = join(root, 'sys');
  const dev = join(root, 'dev');
  mkdirSync(dev);
  const add = (name: string, title: string, index: string): void => {
    mkdirSync(join(sysfs, name), { recursive: true });
    writeFileSync(join(sysfs, name, 'name'), `${title}\n`);
    writeFileSync(join(sysfs, name, 'index'), `${index}\n`);
    writeFileSync(join(dev, name), '');
  };
  add('video0', 'USB Video: USB Video', '0');
  add('video1', 'USB Video: USB Video', '1');
  add('video10', 'Cam Link 4K', '0');
  mkdirSync(join(sysfs, 'vbi0'));
  return { root, sysfs, dev, add, remove: (name: string) => rmSync(join(sysfs, name), { recursive: true }) };
}

describe('cameras of Linux', () => {
  const ask: AskProgram = async () =>
    Promise.resolve({ code: 1, stdout: Buffer.alloc(0), stderr: fixture('v4l2-formats.txt').split('\n') });
  const backendOn = ({ sysfs, dev }: { sysfs: string; dev: string }) => {
    const backend = v4l2Backend({ log: pino({ level: 'silent' }), sysfs, dev, ask });
    onTestFinished(async () => backend.close());
    return backend;
  };

  it('are listed without starting anything, each once', async () => {
    const place = kernel();
    const backend = backendOn(place);
    const found = await backend.list(never, get);
    expect(found).toEqual([
      {
        id: `camera:${place.dev}/video0`,
        kind: 'camera',
        name: 'USB Video',
        app: 'video0',
        suggested: false,
        available: true,
      },
      expect.objectContaining({ name: 'Cam Link 4K', id: `camera:${place.dev}/video10` }),
    ]);
    expect(backend.owns(found[0]?.id ?? '')).toBe(true);
    expect(backend.owns('camera:FaceTime')).toBe(false);
  });

  it('are captured in the best mode, and their loss is told', async () => {
    const place = kernel();
    const backend = backendOn(place);
    const [source] = await backend.list(never, get);
    if (!source) throw new Error('no camera');
    const events: string[] = [];
    const open = await backend.open(source, FFMPEG, ({ type }) => void events.push(type), never);
    onTestFinished(async () => open.release());
    expect(open.state()).toMatchObject({ width: 1920, height: 1080, gone: false });
    expect(open.input(30)).toEqual(
      v4l2Input(`${place.dev}/video0`, { format: 'mjpeg', compressed: true, width: 1920, height: 1080 }, 30),
    );
    place.remove('video0');
    await vi.waitFor(() => expect(events).toEqual(['gone']), 3000);
    expect(open.state().gone).toBe(true);
    await expect(backend.open(source, FFMPEG, () => undefined, never)).rejects.toMatchObject({ code: 'source-gone' });
  });

  it('that are plugged in are told', async () => {
    const place = kernel();
    const backend = backendOn(place);
    const told = vi.fn();
    backend.onChanged(told);
    place.add('video2', 'New', '0');
    await vi.waitFor(() => expect(told).toHaveBeenCalled(), 3000);
  });

  it('are none where there is no such folder, and say what is missing of ffmpeg', async () => {
    expect(await backendOn({ sysfs: '/nonexistent', dev: '/nonexistent' }).list(never, get)).toEqual([]);
    const place = kernel();
    const backend = backendOn(place);
    const [source] = await backend.list(never, get);
    if (!source) throw new Error('no camera');
    const without = { ...FFMPEG, devices: new Set<string>() };
    await expect(backend.open(source, without, () => undefined, never)).rejects.toMatchObject({
      code: 'ffmpeg-unsuitable',
    });
  });
});
