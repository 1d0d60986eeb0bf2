import { mkdtemp, readdir, rm, writeFile, mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS, SetupReport, type EncoderHeadroom } from '../../../contract/index.ts';
import { checksOf, type Measured } from './checks.ts';
import { diskSpeed } from './disk-speed.ts';
import { headrooms, recommendations } from './recommend.ts';
import { saveReport } from './report-file.ts';
import { SetupTest } from './setup-test.ts';
import { PictureAges } from './trial-capture.ts';

const folders: string[] = [];
const folder = async (): Promise<string> => {
  const made = await mkdtemp(path.join(os.tmpdir(), 'pitwall-setup-'));
  folders.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(folders.splice(0).map(async (made) => rm(made, { recursive: true, force: true })));
});

const measured = (...speeds: [EncoderHeadroom['encoder'], '1080p' | '720p' | '480p', number][]): EncoderHeadroom[] =>
  speeds.flatMap(([encoder, size, speed]) => headrooms(encoder, size, speed, [30, 60]));

describe('the recommendation', () => {
  it('is the largest picture and rate with enough headroom, in words', () => {
    const found = recommendations(measured(['libx264', '1080p', 80], ['h264_nvenc', '1080p', 114]), 'h264');
    expect(found[0]).toEqual({
      encoder: 'h264_nvenc',
      pictureSize: '1080p',
      fps: 60,
      sentence: '1080p60 with NVENC H.264: 1.9 x headroom',
    });
    expect(found[1]).toMatchObject({ encoder: 'h264_nvenc', fps: 30 });
  });

  it('prefers the graphics card where both can', () => {
    const found = recommendations(measured(['libx264', '1080p', 900], ['h264_vaapi', '1080p', 200]), 'h264');
    expect(found[0]).toMatchObject({ encoder: 'h264_vaapi', fps: 60 });
  });

  it('is the least bad where nothing has enough, and nothing where nothing keeps up', () => {
    const little = measured(['libx264', '1080p', 31], ['libx264', '720p', 42]);
    expect(recommendations(little, 'h264')).toMatchObject([{ pictureSize: '720p', fps: 30 }]);
    expect(recommendations(measured(['libx264', '480p', 29]), 'h264')).toEqual([]);
  });

  it('stays with the codec of the settings', () => {
    const both = measured(['libx264', '1080p', 300], ['libx265', '720p', 60]);
    expect(recommendations(both, 'hevc')).toMatchObject([{ encoder: 'libx265', pictureSize: '720p', fps: 30 }]);
  });
});

const WELL: Measured = {
  sourceName: 'Assetto Corsa',
  targetFps: 30,
  trial: {
    ...{ pictures: 100, fps: 29.9, speed: 1, duplicated: 0, dropped: 0, previewAgeMs: 40, readerMs: 700 },
    ...{ width: 1280, height: 720, ended: null },
  },
  trialError: null,
  recommendation: { encoder: 'libx264', pictureSize: '720p', fps: 30, sentence: '720p30 with x264: 2.0 x headroom' },
  headroom: 2,
  disk: 200,
  hotkeys: [{ id: 'save', state: 'active', accelerator: 'F9' }],
  soundUnavailable: null,
  rtmpSkipped: null,
};
const results = (change: Partial<Measured>): Record<string, string> =>
  Object.fromEntries(checksOf({ ...WELL, ...change }).map(({ id, result }) => [id, result]));

describe('the checks', () => {
  it('are good where all is, and say what was not measured', () => {
    expect(results({})).toEqual({
      ...{ capture: 'good', speed: 'good', encoder: 'good', preview: 'good', 'audio-offset': 'skipped' },
      ...{ disk: 'good', hotkey: 'good', rtmp: 'good' },
    });
  });

  it('tell what fails, each with a remedy', () => {
    const bad: Partial<Measured> = {
      trial: null,
      recommendation: null,
      headroom: null,
      disk: { error: 'EACCES' },
      hotkeys: [
        {
          id: 'save',
          state: 'unavailable',
          accelerator: 'F9',
          error: { code: 'hotkey-unavailable', message: 'F9 is taken.', remedy: 'Choose another.' },
        },
      ],
    };
    expect(results(bad)).toMatchObject({
      ...{ capture: 'failed', speed: 'skipped', encoder: 'failed', preview: 'skipped' },
      ...{ disk: 'failed', hotkey: 'poor', rtmp: 'failed' },
    });
    for (const check of checksOf({ ...WELL, ...bad })) {
      if (check.result === 'poor' || check.result === 'failed') expect(check.remedy).toBeTruthy();
    }
  });

  it('call a capture that falls short poor', () => {
    expect(results({ targetFps: 60, trial: { ...trialOf(WELL), fps: 50, speed: 0.95 } })).toMatchObject({
      capture: 'poor',
      speed: 'poor',
    });
  });
});

const trialOf = ({ trial }: Measured): NonNullable<Measured['trial']> => {
  if (trial === null) throw new Error('no trial');
  return trial;
};

describe('the age of pictures', () => {
  it('follows from the time of day of a grabbing input, and from no other', () => {
    const start = Date.now() / 1000 - 5;
    const ages = new PictureAges();
    ages.noteLine(`  Duration: N/A, start: ${start.toFixed(6)}, bitrate: 221184 kb/s`);
    ages.noteLine('  Duration: N/A, start: 0.000000, bitrate: 768 kb/s');
    for (let i = 0; i < 90; i++) ages.add(1_400_000 + i * 33_333, start * 1000 + 20 + i * 33.333);
    expect(ages.atMost(33)).toBeCloseTo(53, -1);

    const pattern = new PictureAges();
    pattern.noteLine('  Duration: N/A, start: 0.000000, bitrate: N/A');
    pattern.add(0, Date.now());
    expect(pattern.atMost(33)).toBeNull();
  });
});

describe('the disk', () => {
  it('is measured with a file that is gone afterwards', async () => {
    const clips = path.join(await folder(), 'clips');
    expect(await diskSpeed(clips, 1000, new AbortController().signal)).toBeGreaterThan(0);
    expect(await readdir(clips)).toEqual([]);
  });

  it('is left clean by a cancelled measurement', async () => {
    const clips = await folder();
    await expect(diskSpeed(clips, 1000, AbortSignal.abort())).rejects.toThrow();
    expect(await readdir(clips)).toEqual([]);
  });

  it('refuses what is no folder', async () => {
    const file = path.join(await folder(), 'file');
    await writeFile(file, '');
    await expect(diskSpeed(file, 1000, new AbortController().signal)).rejects.toMatchObject({ code: 'EEXIST' });
  });
});

describe('reports', () => {
  const report: SetupReport = {
    ...{ version: 1, at: 1_790_000_000, seconds: 11, source: 'Assetto Corsa', captureFps: 30, targetFps: 30, speed: 1 },
    ...{ previewAgeMs: 40, audioOffsetMs: null, diskMbPerSecond: 200, hotkey: true, encoders: [], checks: [] },
    machine: { platform: 'linux', cpu: 'a processor', cores: 2, memoryMb: 4096, ffmpeg: '5.1.9' },
    recommendation: null,
  };

  it('are kept, the newest twenty, and nothing else in the folder is touched', async () => {
    const reports = path.join(await folder(), 'reports');
    await mkdir(reports);
    await writeFile(path.join(reports, 'notes.json'), '{}');
    for (let i = 0; i < 22; i++) await saveReport(reports, { ...report, at: report.at + i });
    const names = await readdir(reports);
    expect(names).toHaveLength(21);
    expect(names).toContain('notes.json');
  });
});

describe('a setup test', () => {
  const setUp = (capturing: boolean): { test: SetupTest; seen: string[] } => {
    const seen: string[] = [];
    const log = pino({ level: 'silent' });
    const test = new SetupTest({
      log,
      onChange: () => seen.push(test.state.state),
      ffmpeg: async () =>
        Promise.resolve({ ffmpeg: '', ffprobe: '', version: '', devices: new Set(), encoders: new Set() }),
      capturing: () => capturing,
      settings: () => DEFAULT_SETTINGS,
      sources: async () => Promise.resolve([]),
      backendOf: () => undefined,
      encoders: {
        statuses: [{ id: 'libx264', codec: 'h264', hardware: false, state: 'untested' }],
        // never answers: the test waits here until it is cancelled
        testAll: async () => new Promise(() => undefined),
        renderNode: async () => Promise.resolve(null),
      },
      hotkeys: () => [],
      soundUnavailable: () => null,
      rtmpServer: () => null,
      clipsFolder: '',
      reportsFolder: '',
    });
    return { test, seen };
  };

  it('is refused while something is captured', async () => {
    const { test, seen } = setUp(true);
    await expect(test.run()).rejects.toMatchObject({ code: 'conflict' });
    expect(seen).toEqual([]);
  });

  it('runs once at a time and ends when it is cancelled', async () => {
    const { test, seen } = setUp(false);
    const ran = expect(test.run()).rejects.toMatchObject({ code: 'cancelled' });
    await expect(test.run()).rejects.toMatchObject({ code: 'conflict' });
    await test.cancel();
    await ran;
    expect(seen).toEqual(['running', 'idle']);
  });
});
