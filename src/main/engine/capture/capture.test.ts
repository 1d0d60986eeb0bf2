import { describe, expect, it } from 'vitest';
import type { CaptureInfo, Source } from '../../../contract/index.ts';
import type { ChildExit } from '../process/child.ts';
import { SILENCE, livePlan } from '../audio/plan.ts';
import { encoderPlan } from '../encoders/arguments.ts';
import { WATCH, captureArgs, outputSize, x11WindowInput, type CapturePlan } from './args.ts';
import { pictureSplitter } from './watch-pictures.ts';
import { classifyExit } from './classify.ts';
import { selectSource, sortSources } from './select.ts';
import { deriveSession, type SessionFacts } from './status.ts';

const ASKED = { fps: 30, quality: 'performance', bitrateKbps: null, renderNode: null } as const;

describe('the capture command', () => {
  const plan: CapturePlan = {
    input: x11WindowInput(':99', 0x20_0002, 30),
    sound: SILENCE,
    encoder: encoderPlan('libx264', { ...ASKED, width: 1280, height: 720 }),
    watch: false,
    output: { width: 1280, height: 720 },
    fps: 30,
    rtmpUrl: 'rtmp://127.0.0.1:1935/live/test',
    timestampOffset: 0,
  };
  const args = captureArgs(plan);

  it('is the measured one', () => {
    expect(args.join(' ')).toMatchInlineSnapshot(
      `"-hide_banner -nostats -loglevel warning -progress pipe:3 -stats_period 0.25 -xerror -f x11grab -framerate 30 -draw_mouse 0 -window_id 0x200002 -i :99 -f lavfi -i anullsrc=r=48000:cl=stereo -map 0:v:0 -map 1:a -vf scale=1280:720:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bilinear:out_color_matrix=smpte170m:out_range=tv,pad=1280:720:(ow-iw)/2:(oh-ih)/2,setsar=1,format=yuv420p -c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 30 -keyint_min 30 -sc_threshold 0 -bf 0 -r 30 -colorspace smpte170m -color_primaries bt709 -color_trc bt709 -color_range tv -flags +global_header -c:a aac -b:a 128k -ac 2 -f tee [f=mpegts:mpegts_flags=+resend_headers:flush_packets=1:omit_video_pes_length=0:onfail=abort]pipe:1|[f=fifo:fifo_format=flv:queue_size=120:drop_pkts_on_overflow=1:attempt_recovery=1:recovery_wait_time=1:recover_any_error=1:onfail=ignore]rtmp://127.0.0.1:1935/live/test"`,
    );
  });

  it('with pictures to watch has one output more, after the stream', () => {
    const watched = captureArgs({ ...plan, watch: true });
    expect(watched.slice(0, args.length)).toEqual(args);
    expect(watched.slice(args.length).join(' ')).toMatchInlineSnapshot(
      `"-map 0:v:0 -vf scale=64:36:flags=fast_bilinear,format=gray -fps_mode vfr -enc_time_base 1:90000 -c:v rawvideo -f rawvideo pipe:4"`,
    );
  });

  it('with several sound tracks keeps the picture on their clock and sends the first to RTMP', () => {
    const sound = livePlan(['Mix', 'Desktop', 'Microphone'], -100, 1763713500.25, () => undefined);
    const mixed = captureArgs({ ...plan, sound, stampedByWall: true }).join(' ');
    expect(mixed).toContain(
      '-xerror -copyts -itsoffset -1763713500.050 -f x11grab -framerate 30 -draw_mouse 0 -window_id 0x200002 -i :99 ' +
        '-itsoffset 0.2 -thread_queue_size 512 -f s16le -ar 48000 -ac 6 -i pipe:5 -map 0:v:0 -map 1:a -map 1:a -map 1:a -vf',
    );
    expect(mixed).toContain('-bsf:v setts=dts=DTS-0.190/TB');
    expect(mixed).toContain('-filter:a:1 pan=stereo|c0=c2|c1=c3');
    expect(mixed).toContain('-metadata:s:a:0 title=Mix -metadata:s:a:1 title=Desktop');
    expect(mixed).toMatch(/\|\[select=[^\]]*v[^\]]*a[^\]]*0[^\]]*f=fifo/);
    expect(captureArgs({ ...plan, sound }).join(' ')).toContain('-copyts -use_wallclock_as_timestamps 1 -itsoffset');
  });

  it('hands on every seventh tiny picture at 30 fps, whole however it was cut', () => {
    const seen: number[] = [];
    const push = pictureSplitter(30, (picture) => seen.push(picture.length, picture[0] ?? -1));
    const bytes = Uint8Array.from({ length: WATCH.frameBytes * 20 }, (_, i) => Math.floor(i / WATCH.frameBytes));
    for (let at = 0; at < bytes.length; at += 1000) push(bytes.subarray(at, at + 1000));
    expect(seen).toEqual([WATCH.frameBytes, 0, WATCH.frameBytes, 8, WATCH.frameBytes, 16]);
  });

  it.each([
    [{ width: 1920, height: 1080 }, '1080p', { width: 1920, height: 1080 }],
    [{ width: 2560, height: 1440 }, '1080p', { width: 1920, height: 1080 }],
    [{ width: 641, height: 361 }, '1080p', { width: 642, height: 362 }],
    [{ width: 640, height: 360 }, '720p', { width: 640, height: 360 }],
    [{ width: 3440, height: 1440 }, '720p', { width: 1720, height: 720 }],
    [{ width: 16, height: 16 }, 'source', { width: 16, height: 16 }],
  ] as const)('makes of %o at %s a picture of %o', (source, limit, expected) => {
    expect(outputSize(source, limit)).toEqual(expected);
  });
});

describe('the state of a session', () => {
  const info: CaptureInfo = { id: 'x', name: 'X', kind: 'window', width: 2, height: 2, fps: 30, encoder: 'libx264' };
  const error = { code: 'source-gone', message: 'Closed.', remedy: 'Open it.' } as const;
  const of = (facts: Omit<SessionFacts, 'info'> | undefined, now = 100): string =>
    deriveSession(facts && { ...facts, info }, now).state;

  it('follows from its facts alone', () => {
    expect(of(undefined)).toBe('idle');
    expect(of({ phase: 'starting' })).toBe('starting');
    expect(of({ phase: 'running', liveSince: 50, lastPictureAt: 99.9 })).toBe('live');
    expect(of({ phase: 'running', liveSince: 50, lastPictureAt: 98.9 })).toBe('stalled');
    expect(of({ phase: 'retrying', liveSince: 50, lastPictureAt: 99.9, retry: { reason: error, attempt: 1 } })).toBe(
      'reconnecting',
    );
    expect(of({ phase: 'stopping', liveSince: 50, lastPictureAt: 99.9 })).toBe('stopping');
    expect(of({ phase: 'ended', liveSince: 50, error })).toBe('failed');
    expect(of({ phase: 'ended', liveSince: 50 })).toBe('idle');
  });
});

describe('why a capture ended', () => {
  const exit = (change: Partial<ChildExit>): ChildExit => ({
    code: 1,
    signal: null,
    stderr: [],
    ranMs: 100,
    requested: false,
    ...change,
  });

  it.each([
    [exit({ stderr: ['[x11grab @ 0x1] Cannot open display :5, error 1.'] }), 'capture-failed', 'desktop'],
    [exit({ stderr: ["Unknown input format: 'x11grab'"] }), 'ffmpeg-unsuitable', 'cannot capture'],
    [exit({ stderr: ["Unknown encoder 'libx264'"] }), 'encoder-failed', 'without x264'],
    [exit({ stderr: ['av_interleaved_write_frame(): No space left on device'] }), 'disk-full', 'full'],
    [exit({ code: null, signal: 'SIGKILL' }), 'capture-failed', 'unexpectedly'],
    [exit({ code: 0 }), 'capture-failed', 'unexpectedly'],
    [exit({ code: null, spawnError: new Error('ENOENT') }), 'ffmpeg-missing', 'started'],
  ])('is told in a sentence: %o', (what, code, word) => {
    const error = classifyExit(what, { encoder: 'libx264', hardware: false, hadPicture: true });
    expect(error.code).toBe(code);
    expect(error.message).toContain(word);
    expect(error.remedy).not.toBe('');
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe('choosing a source', () => {
  const window = (name: string, change: Partial<Source> = {}): Source => ({
    id: `window:0x${name.length}`,
    kind: 'window',
    name,
    suggested: false,
    available: true,
    ...change,
  });
  const screen: Source = { id: 'screen:0', kind: 'screen', name: 'Whole screen', suggested: false, available: true };
  const sources = [
    screen,
    window('Assetto Corsa - a wiki page'),
    window('Assetto Corsa', { suggested: true }),
    window('Terminal'),
  ];

  it('offers the game first', () => {
    expect(sortSources(sources).map((source) => source.name)).toEqual([
      'Assetto Corsa',
      'Assetto Corsa - a wiki page',
      'Terminal',
      'Whole screen',
    ]);
  });

  it('understands ids and parts of titles', () => {
    expect(selectSource('screen:0', sources)).toBe(screen);
    expect(selectSource('window:assetto', sources).name).toBe('Assetto Corsa');
    expect(selectSource('window:WIKI', sources).name).toBe('Assetto Corsa - a wiki page');
  });

  it('refuses the unknown and the unavailable with what to do', () => {
    expect(() => selectSource('window:Forza', sources)).toThrow(expect.objectContaining({ code: 'unknown-source' }));
    expect(() => selectSource('window:', sources)).toThrow(expect.objectContaining({ code: 'unknown-source' }));
    expect(() => selectSource('window:Hidden', [window('Hidden', { available: false, reason: 'Show it.' })])).toThrow(
      expect.objectContaining({ code: 'source-unavailable', remedy: 'Show it.' }),
    );
  });
});
