import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { EncoderId, StudioError, type EncoderStatus } from '../../../contract/index.ts';
import { SILENCE } from '../audio/plan.ts';
import { captureArgs } from '../capture/args.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { atLeast, flvCarriesHevc } from '../ffmpeg/version.ts';
import { createLogging } from '../logging/log.ts';
import { encoderPlan, rateFor, type EncoderRequest } from './arguments.ts';
import { Encoders, type EncodersDeps } from './encoders.ts';
import { encoderFailure } from './failures.ts';
import { EncoderLine, candidates } from './line.ts';
import { encodersOf, kindOf } from './table.ts';
import { benchSeconds, flawOf } from './trial.ts';

const ASKED: EncoderRequest = {
  fps: 30,
  quality: 'performance',
  bitrateKbps: null,
  width: 1920,
  height: 1080,
  renderNode: '/dev/dri/renderD128',
};

describe('an encoder of ours', () => {
  const systems = ['linux', 'win32', 'darwin'] as const;
  const picture = {
    linux: ['-f', 'x11grab', '-framerate', '30', '-i', ':0'],
    win32: ['-f', 'gdigrab', '-framerate', '30', '-i', 'title=Game'],
    darwin: ['-f', 'avfoundation', '-framerate', '30', '-i', '1:none'],
  } as const;

  it.each(systems)('has its arguments on %s', (system) => {
    const lines = encodersOf(system).flatMap(({ id }) =>
      (['performance', 'balanced', 'quality'] as const).flatMap((quality) =>
        [
          { fps: 30, bitrateKbps: null } as const,
          { fps: 60, bitrateKbps: 6000 } as const,
          { fps: 120, bitrateKbps: null } as const,
        ].map(({ fps, bitrateKbps }) => {
          const args = captureArgs({
            input: picture[system],
            sound: SILENCE,
            encoder: encoderPlan(id, { ...ASKED, fps, quality, bitrateKbps }),
            output: { width: 1920, height: 1080 },
            fps,
            rtmpUrl: null,
            watch: false,
            timestampOffset: 0,
          });
          return `${id} ${quality} ${fps} fps ${bitrateKbps ?? 'by quality'}\n  ${args.join(' ')}`;
        }),
      ),
    );
    expect(lines.join('\n')).toMatchSnapshot();
  });

  it.each(EncoderId.options)('%s: a keyframe every second, and B-frames only in the seed profile', (id) => {
    for (const fps of [30, 60, 120] as const) {
      for (const quality of ['performance', 'balanced', 'quality'] as const) {
        const { args } = encoderPlan(id, { ...ASKED, fps, quality });
        expect(args[args.indexOf('-g') + 1]).toBe(String(fps));
        const seed = kindOf(id).family === 'nvenc' && quality === 'quality';
        expect(args[args.indexOf('-bf') + 1]).toBe(seed ? '4' : '0');
        expect(args[args.indexOf('-c:v') + 1]).toBe(id);
      }
    }
  });

  it('has the profile of the seed as the quality of NVENC', () => {
    const { args } = encoderPlan('hevc_nvenc', { ...ASKED, quality: 'quality' });
    expect(args.join(' ')).toContain(
      '-preset p7 -tune hq -profile:v main -multipass 2 -rc-lookahead 32 -spatial_aq 1 -temporal_aq 1 -bf 4 -b_ref_mode middle -rc vbr -b:v 50000k -maxrate 60000k -bufsize 120000k',
    );
  });

  it('gets a rate by size and frame rate where it knows no quality', () => {
    expect(rateFor('h264', { ...ASKED, fps: 60, quality: 'balanced' })).toBe(12_442);
    expect(rateFor('hevc', { ...ASKED, width: 64, height: 36 })).toBe(300);
  });
});

describe('why an encoder fails', async () => {
  const text = await readFile(path.resolve('test/fixtures/encoders/failures.txt'), 'utf8');
  const cases = text
    .split(/^= /m)
    .slice(1)
    .map((block) => {
      const [head = '', source = '', ...lines] = block.trimEnd().split('\n');
      const [id = '', words = ''] = head.split(' | ');
      return { id: EncoderId.parse(id), words, source: source.slice(2), lines };
    });

  it.each(cases)('is told in a sentence: $id, $source', ({ id, words, lines }) => {
    const error = encoderFailure(id, lines);
    expect(error).toMatchObject({ code: 'encoder-failed' });
    expect(error?.message).toContain(words);
    expect(error?.remedy).not.toBe('');
  });

  it('is not found where nothing speaks of it', () => {
    expect(encoderFailure('h264_nvenc', ['[x11grab @ 0x1] Cannot open display :5, error 1.'])).toBeUndefined();
  });
});

describe('which encoder is chosen', () => {
  const works = (id: EncoderId): EncoderStatus => ({ ...kindOf(id), state: 'works', trialFps: 300 });
  const built = new Set<string>(EncoderId.options);
  const facts = {
    platform: 'linux',
    statuses: [works('h264_nvenc'), works('h264_vaapi'), works('hevc_vaapi')],
    built,
  } as const;

  it('is hardware that was seen to work, then software', () => {
    const of = (encoder: 'auto' | EncoderId, codec: 'h264' | 'hevc'): string[] => candidates({ encoder, codec }, facts);
    expect(of('auto', 'h264')).toEqual(['h264_nvenc', 'h264_vaapi', 'libx264']);
    expect(of('auto', 'hevc')).toEqual(['hevc_vaapi', 'libx265', 'libx264']);
    expect(of('libx264', 'hevc')).toEqual(['libx264', 'h264_nvenc', 'h264_vaapi']);
    expect(of('hevc_nvenc', 'h264')).toEqual(['hevc_nvenc', 'hevc_vaapi', 'libx265', 'libx264']);
  });

  it('is x264 while nothing is known', () => {
    const known = { ...facts, statuses: [] };
    expect(candidates({ encoder: 'auto', codec: 'h264' }, known)).toEqual(['libx264']);
    expect(candidates({ encoder: 'auto', codec: 'h264' }, { ...known, built: new Set() })).toEqual(['libx264']);
  });

  it('moves on and never back', () => {
    const line = new EncoderLine(
      { encoder: 'auto', codec: 'hevc', quality: 'performance', bitrateKbps: null, fps: 60 },
      ['hevc_vaapi', 'libx265'],
      null,
    );
    expect([line.current, line.codec, line.hasNext]).toEqual(['hevc_vaapi', 'hevc', true]);
    expect([line.next(), line.current, line.hasNext]).toEqual(['libx265', 'libx265', false]);
    expect([line.next(), line.current]).toEqual([undefined, 'libx265']);
    expect(line.plan({ width: 1280, height: 720 }).args).toContain('libx265');
  });
});

describe('an ffmpeg version', () => {
  it.each([
    ['5.1.9-0+deb12u1', false],
    ['6.0-static', false],
    ['6.1.1-3ubuntu5', true],
    ['n7.0', true],
    ['7.1', true],
    ['N-107035-gd42b410e05', true],
    ['2025-02-20-git-bc1a3bfd2c-full_build-www.gyan.dev', true],
    ['unknown', false],
  ])('%s carries HEVC in FLV: %s', (version, carries) => {
    expect(flvCarriesHevc(version)).toBe(carries);
  });

  it('is compared by number', () => {
    expect(atLeast('10.0', 6, 1)).toBe(true);
    expect(atLeast('6.10', 6, 9)).toBe(true);
  });
});

describe('a trial', () => {
  it('takes its time from what ffmpeg 5.1.9 prints', () => {
    expect(
      benchSeconds(['frame=   30', 'bench: utime=0.151s stime=0.029s rtime=0.104s', 'bench: maxrss=97792kB']),
    ).toBe(0.104);
    expect(benchSeconds([])).toBeUndefined();
  });

  it('is not passed by an empty or foreign output', () => {
    expect(flawOf(new Uint8Array(0), 'h264')).toContain('0 pictures');
    expect(flawOf(new Uint8Array(188 * 100).fill(0x47), 'h264')).toContain('0 pictures');
  });
});

describe('the encoders of a computer', () => {
  const undo: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  const setUp = async (
    attempt: NonNullable<EncodersDeps['attempt']>,
    given?: string,
  ): Promise<{ encoders: Encoders; cacheFile: string; ffmpeg: Ffmpeg }> => {
    const folder = given ?? (await mkdtemp(path.join(os.tmpdir(), 'pitwall-encoders-')));
    undo.push(async () => rm(folder, { recursive: true, force: true }));
    const logging = createLogging({ folder: path.join(folder, 'logs'), stderr: false });
    undo.push(async () => {
      logging.close();
      return Promise.resolve();
    });
    const ffmpeg: Ffmpeg = {
      ffmpeg: path.join(folder, 'ffmpeg'),
      ffprobe: 'ffprobe',
      version: '5.1.9',
      devices: new Set(),
      encoders: new Set(EncoderId.options),
    };
    if (given === undefined) await writeFile(ffmpeg.ffmpeg, 'one');
    const cacheFile = path.join(folder, 'encoders.json');
    const encoders = new Encoders({
      platform: 'linux',
      ffmpeg: async () => Promise.resolve(ffmpeg),
      cacheFile,
      log: logging.log,
      onChange: () => undefined,
      settleMs: 0,
      attempt,
    });
    undo.push(async () => encoders.close());
    return { encoders, cacheFile, ffmpeg };
  };
  const only =
    (...good: EncoderId[]): NonNullable<EncodersDeps['attempt']> =>
    (id) =>
      good.includes(id)
        ? Promise.resolve(200)
        : Promise.reject(new StudioError('encoder-failed', `${id} failed.`, 'Choose another.'));
  const wish = { encoder: 'auto', codec: 'h264', quality: 'performance', bitrateKbps: null, fps: 30 } as const;
  const state = (encoders: Encoders, id: EncoderId): string | undefined =>
    encoders.statuses.find((status) => status.id === id)?.state;

  it('are tried once, and the result is kept until ffmpeg changes', async () => {
    const first = await setUp(only('h264_vaapi', 'libx264'));
    await first.encoders.testAll();
    expect(state(first.encoders, 'h264_vaapi')).toBe('works');
    expect(state(first.encoders, 'h264_nvenc')).toBe('failed');
    expect((await first.encoders.line(wish, first.ffmpeg)).current).toBe('h264_vaapi');

    const folder = path.dirname(first.cacheFile);
    const second = await setUp(async () => Promise.reject(new Error('nothing is to be tried')), folder);
    await second.encoders.start();
    expect(state(second.encoders, 'h264_vaapi')).toBe('works');

    await writeFile(first.ffmpeg.ffmpeg, 'another one');
    let tried = 0;
    const third = await setUp(async () => Promise.resolve((tried += 1)), folder);
    await third.encoders.start();
    await third.encoders.testAll();
    expect(tried).toBeGreaterThanOrEqual(encodersOf('linux').length);
  });

  it('wait while something is captured, and go on afterwards', async () => {
    let begun: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (begun = resolve));
    let ended: () => void = () => undefined;
    const last = new Promise<void>((resolve) => (ended = resolve));
    const tried: string[] = [];
    const { encoders } = await setUp(async (id, _ffmpeg, _node, signal) => {
      tried.push(id);
      begun();
      if (tried.length === 1) {
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      }
      if (id === encodersOf('linux').at(-1)?.id) ended();
      return 100;
    });
    await encoders.start();
    await first;
    encoders.setCapturing(true);
    expect(tried).toHaveLength(1);
    encoders.setCapturing(false);
    await last;
    expect(tried[0]).toBe(tried[1]);
    expect(tried).toHaveLength(encodersOf('linux').length + 1);
  });

  it('that failed in a capture are not chosen again by themselves', async () => {
    const { encoders, ffmpeg } = await setUp(only('h264_nvenc', 'libx264'));
    await encoders.testAll();
    encoders.noteFailure('h264_nvenc', new StudioError('encoder-failed', 'It failed.', 'Choose another.'));
    expect((await encoders.line(wish, ffmpeg)).current).toBe('libx264');
    await encoders.testAll();
    expect((await encoders.line(wish, ffmpeg)).current).toBe('h264_nvenc');
  });
});
