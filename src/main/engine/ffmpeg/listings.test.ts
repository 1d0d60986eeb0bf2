import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runToEnd } from '../process/child.ts';
import { Abilities, type AskProgram } from './abilities.ts';
import { filter } from './filtergraph.ts';
import {
  parseAvfoundationModes,
  parseAvfoundationVideo,
  parseDshow,
  parseDshowModes,
  parseFilters,
  parsePictureSize,
  parseV4l2Formats,
} from './listings.ts';

const fixture = (name: string): string => readFileSync(resolve('test/fixtures/devices', name), 'utf8');

describe('device listings', () => {
  it('avfoundation: cameras and screens with their numbers, of three versions', () => {
    expect(parseAvfoundationVideo(fixture('avfoundation-m1.txt'))).toEqual([
      { index: 0, name: 'OBS Virtual Camera' },
      { index: 1, name: 'FaceTime HD Camera' },
      { index: 2, name: 'Capture screen 0' },
      { index: 3, name: 'Capture screen 1' },
      { index: 4, name: 'Capture screen 2' },
    ]);
    expect(parseAvfoundationVideo(fixture('avfoundation-3.4.txt')).map(({ name }) => name)).toEqual([
      'CamTwist',
      'Built-in iSight',
      'CamTwist (2VUY)',
      'Capture screen 0',
    ]);
    expect(parseAvfoundationVideo(fixture('avfoundation-5.txt'))).toHaveLength(2);
  });

  it('dshow: with headings, with kinds, with the prefix of 8', () => {
    expect(parseDshow(fixture('dshow-3.txt')).map(({ name, video, audio }) => ({ name, video, audio }))).toEqual([
      { name: 'USB 2861 Device', video: true, audio: false },
      { name: 'FaceTime HD Camera', video: true, audio: false },
      { name: 'Headset Microphone (Cirrus Logic CS4208 (AB 94))', video: false, audio: true },
    ]);
    expect(parseDshow(fixture('dshow-3.txt'))[0]?.alternative).toMatch(/^@device_pnp_\\\\\?\\usb#vid_eb1a/);
    expect(parseDshow(fixture('dshow-5.txt'))).toMatchObject([
      { name: 'DirectShow Softcam', video: false, audio: false },
      { name: 'OBS Virtual Camera', video: true, audio: false },
    ]);
    expect(parseDshow(fixture('dshow-8.txt'))).toMatchObject([
      { name: 'screen-capture-recorder', video: true },
      { name: 'virtual-audio-capturer', video: false, audio: true },
    ]);
  });

  it('what cameras offer', () => {
    const v4l2 = parseV4l2Formats(fixture('v4l2-formats.txt'));
    expect(v4l2).toHaveLength(18);
    expect(v4l2[0]).toEqual({ format: 'mjpeg', compressed: true, width: 2592, height: 1944 });
    expect(v4l2.at(-1)).toEqual({ format: 'yuyv422', compressed: false, width: 1920, height: 1080 });
    expect(parseDshowModes(fixture('dshow-modes.txt'))).toEqual([
      { format: 'yuyv422', compressed: false, width: 640, height: 480, fps: [5, 30] },
      { format: 'yuyv422', compressed: false, width: 160, height: 90, fps: [5, 30] },
      { format: 'mjpeg', compressed: true, width: 1280, height: 720, fps: [15, 30] },
      { format: 'yuyv422', compressed: false, width: 1920, height: 1080, fps: [15, 30] },
      { format: 'mjpeg', compressed: true, width: 640, height: 480, fps: [30, 30] },
    ]);
    expect(parseAvfoundationModes(fixture('avfoundation-modes.txt'))).toHaveLength(5);
    expect(parseAvfoundationModes(fixture('avfoundation-modes.txt'))[0]).toMatchObject({ width: 1920, fps: [1, 30] });
  });

  it('filters, and the size of a picture', () => {
    const filters = parseFilters(fixture('filters-5.1.9.txt'));
    expect(filters.has('color')).toBe(true);
    expect(filters.has('gfxcapture')).toBe(false);
    expect(filters.has('A')).toBe(false);
    // the form of 8: the column for commands is gone
    expect(
      parseFilters(' .. gfxcapture        |->V       Capture graphics/screen content as a video source\n'),
    ).toEqual(new Set(['gfxcapture']));
    expect(
      parsePictureSize(
        '  Stream #0:0: Video: rawvideo (I420 / 0x30323449), yuv420p, 640x360 [SAR 1:1 DAR 16:9], 25 tbr',
      ),
    ).toEqual({ width: 640, height: 360 });
    expect(
      parsePictureSize(
        '    Stream #0:0: Video: mjpeg (Baseline) (MJPG / 0x47504A4D), yuvj422p(pc, bt470bg/unknown/unknown), 1280x720, 5 fps',
      ),
    ).toEqual({ width: 1280, height: 720 });
    expect(parsePictureSize('nothing')).toBeUndefined();
  });

  it('nothing that is printed makes them throw', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('"x" (video)', 'AVFoundation video devices:\n[0] ', '[1] a', ': 1x1'),
        (a, b) => {
          const text = `${b}${a}\n${a}${b}`;
          for (const parse of [
            parseAvfoundationVideo,
            parseAvfoundationModes,
            parseDshow,
            parseDshowModes,
            parseV4l2Formats,
            parseFilters,
            parsePictureSize,
          ])
            expect(() => parse(text)).not.toThrow();
        },
      ),
    );
  });
});

describe('a filtergraph', () => {
  it('says values as they are meant: real ffmpeg reads them back', async () => {
    const odd = [
      "it's",
      'a:b',
      'x,y;z',
      '[in][out]',
      '\\',
      "\\'",
      ' both ends ',
      "'",
      '=:=',
      'Å「ゲーム」',
      'C:\\a\\b',
      '%{x}',
      '#1 "q"',
    ];
    const graph = (value: string): string =>
      [
        'nullsrc=size=16x16',
        filter('metadata', { mode: 'add', key: 'k', value }),
        filter('metadata', { mode: 'print', file: '-' }),
      ].join(',');
    for (const value of odd) {
      const { code, stdout, stderr } = await runToEnd(
        'ffmpeg',
        ['-hide_banner', '-v', 'error', '-f', 'lavfi', '-i', graph(value), '-frames:v', '1', '-f', 'null', '-'],
        { timeoutMs: 10_000 },
      );
      expect({ code, stderr }, value).toEqual({ code: 0, stderr: [] });
      expect(/^k=(.*)$/m.exec(stdout.toString('utf8'))?.[1], graph(value)).toBe(value);
    }
  });

  it('is a name alone without options', () => {
    expect(filter('hwdownload', {})).toBe('hwdownload');
    expect(filter('crop', { w: 4, h: 2 })).toBe('crop=w=4:h=2');
  });
});

describe('what an ffmpeg can do', () => {
  const FFMPEG = {
    ffmpeg: '/x/ffmpeg',
    ffprobe: '/x/ffprobe',
    version: '8.0',
    devices: new Set<string>(),
    encoders: new Set<string>(),
  };

  /** A double of the ffmpeg of another system. */
  const asked: string[] = [];
  const answer =
    (stdout: string, stderr: string): AskProgram =>
    async (_, args) => {
      asked.push(args.join(' '));
      return Promise.resolve({ code: 1, stdout: Buffer.from(stdout), stderr: stderr.split('\n') });
    };

  it('is asked once, and its listings no more than every few seconds', async () => {
    const abilities = new Abilities(answer(' .. gfxcapture |->V x\n', fixture('dshow-8.txt')));
    expect(await abilities.filters(FFMPEG)).toEqual(new Set(['gfxcapture']));
    expect(await abilities.filters(FFMPEG)).toEqual(new Set(['gfxcapture']));
    const list = ['-f', 'dshow', '-list_devices', 'true', '-i', 'dummy'];
    expect(parseDshow(await abilities.listing(FFMPEG, list))).toHaveLength(2);
    await abilities.listing(FFMPEG, list);
    expect(asked).toEqual(['-hide_banner -filters', `-hide_banner ${list.join(' ')}`]);
  });

  it('is nothing when it cannot be asked', async () => {
    const abilities = new Abilities(async () => Promise.reject(new Error('no')));
    expect(await abilities.filters(FFMPEG)).toEqual(new Set());
    expect(await abilities.listing(FFMPEG, ['-x'])).toBe('');
  });
});
