import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../../test/support/wait.ts';
import type { RtmpPeer } from '../../../../contract/index.ts';
import { noteLine, pullArgs, type StreamFindings } from './pull-args.ts';
import { RtmpPull } from './pull.ts';
import { rtmpBackend } from './rtmp-backend.ts';

const peer = (path: string, more: Partial<RtmpPeer> = {}): RtmpPeer => ({
  ...{ id: path, path, address: '127.0.0.1', since: 1, own: false },
  ...more,
});
const log = pino({ level: 'silent' });

/** A backend that sees these publishers. */
const seeing = (publishers: readonly RtmpPeer[]) =>
  rtmpBackend({
    publishers: () => publishers,
    readUrl: (key) => `rtmp://127.0.0.1:1/live/${key}`,
    server: () => 'rtmp://127.0.0.1:1935/live',
    asksForKey: () => false,
    ffmpeg: async () => Promise.reject(new Error('not asked for')),
    log,
    onChange: () => undefined,
  });
const never = new AbortController().signal;

describe('publishers as sources', () => {
  it('are listed by key with what is known of them, those elsewhere not', async () => {
    const sources = await seeing([
      peer('/live/phone', { client: 'FMLE/3.0 (compatible; Lavf59.27.100)', width: 1280, height: 720 }),
      peer('/live/obs', { client: 'FMLE/3.0 (compatible; FMSc/1.0)' }),
      peer('/live/unknown'),
      peer('/other/phone'),
      peer('/live/bad key'),
      peer('/live/a/b'),
    ]).list(never, async () => Promise.reject(new Error('not asked for')));
    expect(sources.map(({ id, name }) => [id, name])).toEqual([
      ['rtmp:phone', 'ffmpeg on /live/phone'],
      ['rtmp:obs', 'OBS on /live/obs'],
      ['rtmp:unknown', 'RTMP stream on /live/unknown'],
    ]);
    expect(sources[0]).toMatchObject({ kind: 'rtmp', width: 1280, height: 720, available: true, suggested: false });
  });

  it('may be chosen before they are there, by a valid key only', () => {
    const backend = seeing([]);
    expect(backend.awaited?.('rtmp:phone')).toMatchObject({ id: 'rtmp:phone', kind: 'rtmp' });
    expect(backend.awaited?.('rtmp:phone')?.hint).toContain('rtmp://127.0.0.1:1935/live, stream key phone');
    for (const wrong of ['rtmp:', 'rtmp:a b', 'rtmp:a/b', 'rtmp:x?key=1', 'obs-pipe', `rtmp:${'x'.repeat(65)}`])
      expect(backend.awaited?.(wrong)).toBeUndefined();
  });

  it('are told anew only when something about them changed', () => {
    const publishers = [peer('/live/a')];
    const backend = seeing(publishers);
    let told = 0;
    backend.onChanged(() => (told += 1));
    backend.publishersChanged();
    publishers[0] = peer('/live/a', { kbps: 4000 });
    backend.publishersChanged();
    expect(told).toBe(1);
    publishers[0] = peer('/live/a', { width: 640, height: 360 });
    backend.publishersChanged();
    expect(told).toBe(2);
  });
});

describe('what ffmpeg says of a stream', () => {
  const read = (lines: readonly string[]): StreamFindings & { complete: boolean } => {
    const found: StreamFindings = {};
    return { complete: lines.map((line) => noteLine(line, found)).some(Boolean), ...found };
  };
  it('is understood (lines of ffmpeg 5.1.9)', () => {
    expect(
      read([
        "Input #0, flv, from 'rtmp://127.0.0.1/live/x':",
        '  Stream #0:0: Video: h264 (High), yuv420p(tv, progressive), 640x360 [SAR 1:1 DAR 16:9], 30 fps, 30 tbr, 1k tbn',
        '  Stream #0:1: Audio: mp3, 44100 Hz, stereo, fltp, 128 kb/s',
        "Output #0, mpegts, to 'pipe:1':",
        '  Stream #0:0: Video: h264 (High), q=2-31',
      ]),
    ).toEqual({ complete: true, video: 'h264', audio: 'mp3' });
    // an HEVC stream of enhanced RTMP, made byte by byte
    expect(
      read([
        '[flv @ 0x5595871629c0] Video codec (0) is not implemented. Update your FFmpeg version to the newest one from Git.',
        '  Stream #0:0: Video: flashsv, bgr24, 1k tbr, 1k tbn',
      ]),
    ).toEqual({ complete: false, video: 'flashsv', unsupportedVideo: true });
  });
});

describe('reading a publisher', () => {
  it('is asked of ffmpeg as measured', () => {
    expect(pullArgs('rtmp://x', { encodeSound: false }).join(' ')).toMatch(
      /-fpsprobesize 0 -analyzeduration 1000000 -f flv -i rtmp:\/\/x .*-c:v copy -c:a copy .*pipe:1$/,
    );
    expect(pullArgs('rtmp://x', { encodeSound: true }).join(' ')).toContain('-c:a aac');
  });

  it('that ffmpeg cannot read is a problem with a sentence, and is tried again', async () => {
    let present: RtmpPeer | undefined = peer('/live/x');
    const pull = new RtmpPull({
      publisher: () => present,
      readUrl: () => 'rtmp://127.0.0.1:1/live/x',
      // it does not know ffmpeg's options, so it ends at once
      ffmpeg: async () => Promise.resolve({ ffmpeg: process.execPath, version: '5.1.9' }),
      log,
      onChange: () => undefined,
    });
    const events: string[] = [];
    const detach = pull.attach({
      begin: () => void events.push('begin'),
      data: () => void events.push('data'),
      end: () => void events.push('end'),
    });
    onTestFinished(async () => {
      detach();
      await pull.idle();
    });
    await until('a problem', 5000, () => pull.problem !== undefined);
    expect(pull.problem).toMatchObject({
      code: 'input-unreadable',
      message: expect.stringContaining('/live/x') as unknown,
    });
    present = undefined;
    pull.publishersChanged();
    await until('no problem', 5000, () => pull.problem === undefined);
    expect(events).toEqual([]);
  });
});
