import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDevices, parseEncoders } from './locate.ts';
import { ProgressParser, parseOutTime, type ProgressBlock } from './progress.ts';
import { escapeTee, teeOutput } from './tee.ts';

const fixture = (name: string): string => readFileSync(path.resolve('test/fixtures/ffmpeg', name), 'utf8');

describe('ffmpeg -progress', () => {
  const blocks = (lines: readonly string[]): ProgressBlock[] => {
    const parser = new ProgressParser();
    return lines.map((line) => parser.push(line)).filter((block) => block !== undefined);
  };

  it('is read from what ffmpeg 5.1.9 printed through tee', () => {
    const found = blocks(fixture('progress-tee-5.1.9.txt').split('\n'));
    expect(found).toHaveLength(16);
    expect(found[0]).toEqual({ frame: 1, dup: 0, drop: 0, q: 20, outTime: 0.033333, end: false });
    expect(found.at(-1)?.end).toBe(true);
    const frames = found.map((block) => block.frame);
    expect(frames).toEqual([...frames].sort((a, b) => a - b));
    expect(found.at(-1)?.frame).toBe(120);
  });

  it.each([
    ['00:03:42.030000', 222.03],
    ['-00:00:00.021333', -0.021333],
    ['123:00:00.5', 442_800.5],
    ['N/A', null],
    ['', null],
    [undefined, null],
  ])('reads the time %s', (text, seconds) => {
    expect(parseOutTime(text)).toBe(seconds);
  });

  it('never throws and never gives a number that is none', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.constant('progress=continue'),
            fc.string().map((s) => `frame=${s}`),
          ),
          { maxLength: 60 },
        ),
        (lines) => {
          for (const block of blocks(lines)) {
            expect([block.frame, block.dup, block.drop].every((n) => Number.isSafeInteger(n) && n >= 0)).toBe(true);
          }
        },
      ),
    );
  });
});

describe('what an ffmpeg can do', () => {
  it('is read from its lists', () => {
    const devices = parseDevices(fixture('devices-5.1.9-debian.txt'));
    expect([...devices]).toEqual(expect.arrayContaining(['x11grab', 'lavfi', 'pulse', 'video4linux2', 'v4l2']));
    const encoders = parseEncoders(fixture('encoders-5.1.9-debian.txt'));
    expect([...encoders]).toEqual(expect.arrayContaining(['libx264', 'libx265', 'aac']));
    expect(encoders.has('=')).toBe(false);
  });
});

/** The reading side of `av_get_token` (libavutil/avstring.c, ffmpeg 5.1): backslash takes the next character as it is. */
function avGetToken(text: string, terminators: string): { token: string; rest: string } {
  let token = '';
  let i = 0;
  for (; i < text.length; i++) {
    const c = text.charAt(i);
    if (terminators.includes(c)) break;
    if (c === '\\' && i + 1 < text.length) token += text.charAt(++i);
    else if (c === "'") {
      const end = text.indexOf("'", i + 1);
      token += text.slice(i + 1, end < 0 ? undefined : end);
      i = end < 0 ? text.length : end;
    } else token += c;
  }
  return { token, rest: text.slice(i) };
}

describe('the tee muxer string', () => {
  it('gives back any escaped value as one token, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.oneof(
            fc.constantFrom('\\', "'", '|', ':', '[', ']', '=', ' ', 'a'),
            fc.string({ minLength: 1, maxLength: 1 }),
          ),
        }),
        (value) => {
          const slave = avGetToken(`${escapeTee(value)}|rest`, '|');
          expect(slave.rest).toBe('|rest');
          expect(avGetToken(`${slave.token}:rest`, ':]')).toEqual({ token: value, rest: ':rest' });
        },
      ),
    );
  });

  it('takes no target but our own pipe and loopback RTMP with a plain key', () => {
    const target =
      (text: string): (() => string) =>
      () =>
        teeOutput([{ options: {}, target: text }]);
    expect(target('rtmp://127.0.0.1:1935/live/test')()).toBe('rtmp://127.0.0.1:1935/live/test');
    expect(target('pipe:1')()).toBe('pipe:1');
    const own = `rtmp://127.0.0.1:1935/live/test?own=${'0af1'.repeat(8)}`;
    expect(target(own)()).toBe(own);
    for (const bad of [
      `${own}&x=1`,
      'rtmp://127.0.0.1:1935/live/test?own=a|[f=mpegts]x',
      'rtmp://127.0.0.1:1935/live/a|[f=mpegts]x',
      'rtmp://example.org/live/test',
      '/tmp/x',
      'file:x',
      '',
    ]) {
      expect(target(bad)).toThrow();
    }
    expect(() => teeOutput([{ options: { 'a:b': 'c' }, target: 'pipe:1' }])).toThrow();
  });
});
