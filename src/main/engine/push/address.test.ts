import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StudioError } from '../../../contract/index.ts';
import { destinationOf, parsePushAddress, type Destination } from './address.ts';
import { pushArgs, secretPreset, speaksEnhancedRtmp } from './args.ts';

const of = (url: string, key = ''): Destination => destinationOf(parsePushAddress(url), key);
const reason = (url: string, key = ''): string => {
  try {
    of(url, key);
    return 'none';
  } catch (thrown) {
    if (!(thrown instanceof StudioError) || thrown.code !== 'bad-request') throw thrown;
    return thrown.message;
  }
};

describe('an address', () => {
  it.each([
    // as the services give them
    ['rtmp://live.twitch.tv/app', 'live_1_abc', 'rtmp://live.twitch.tv/app', 'app'],
    ['rtmps://a.rtmps.youtube.com:443/live2/', 'abcd-efgh', 'rtmps://a.rtmps.youtube.com:443/live2', 'live2'],
    ['rtmp://b.rtmp.youtube.com/live2?backup=1', 'k', 'rtmp://b.rtmp.youtube.com/live2?backup=1', 'live2?backup=1'],
    [' RTMP://[::1]:1935/a/b ', 'k', 'rtmp://[::1]:1935/a/b', 'a/b'],
  ])('%s with a key', (url, key, target, app) => {
    expect(of(url, key)).toEqual({
      format: 'flv',
      url: target,
      options: [['rtmp_app', app]],
      secret: ['rtmp_playpath', key],
    });
  });

  it('without a key has the name of the stream as its last part', () => {
    expect(of('rtmp://host/live/test')).toEqual({
      format: 'flv',
      url: 'rtmp://host/live',
      options: [
        ['rtmp_app', 'live'],
        ['rtmp_playpath', 'test'],
      ],
      secret: undefined,
    });
    expect(reason('rtmp://host/live')).toMatch(/needs a stream key/);
  });

  it('of SRT has the key as its stream id, or as its passphrase where it has one', () => {
    expect(of('srt://host:8890?latency=200000', 'publish:x:me:pw')).toEqual({
      format: 'mpegts',
      url: 'srt://host:8890?mode=caller&transtype=live&latency=200000',
      options: [],
      secret: ['srt_streamid', 'publish:x:me:pw'],
    });
    expect(of('srt://host:10080?streamid=#!::r=live/x,m=publish', '0123456789').secret).toEqual([
      'passphrase',
      '0123456789',
    ]);
    expect(reason('srt://host:1?streamid=a', 'short')).toMatch(/10 to 64/);
  });

  it.each([
    'http://host/app',
    'file:///etc/passwd',
    'pipe:1',
    'tee:a|b',
    'rtmp://user:password@host/app',
    'rtmp://host/app live=1',
    'rtmp://host/app\nx',
    'rtmp://host:0/app',
    'rtmp://host:70000/app',
    'rtmp://host/app|[f=mpegts]file',
    'rtmp://-host/app',
    'rtmp://host',
    'rtmp,rtmp_app,x,,:rtmp://host/app',
    'srt://host',
    'srt://host:1/path',
    'srt://host:1?mode=listener',
    'srt://host:1?passphrase=0123456789',
    'srt://host:1?streamid=a&x=b',
    '-y',
    '',
  ])('%j is refused in a sentence', (url) => expect(reason(url, 'key')).toMatch(/^[A-Z].*\.$|^\d+ is no port\.$/));

  it.each(['a b', 'a\nb', 'a\0', 'ä', 'x'.repeat(513)])('a key %j is refused', (key) =>
    expect(reason('rtmp://host/app', key)).toMatch(/characters/),
  );
});

/** What people, and others, might paste: anything, and things that nearly are addresses. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.stringMatching(
    /^(rtmps?|srt):\/\/[a-z0-9.-]{1,9}:[0-9]{1,4}(\/[\w./%-]{1,12})?(\?(streamid|latency|x)=[!-~]{1,6})?$/,
  ),
  fc
    .tuple(
      fc.constantFrom('rtmp', 'rtmps', 'srt', 'RTMP', 'file', 'tee', 'rtmp,x=y,'),
      fc.constantFrom('://', ':', '://-', '://a:b@'),
      fc.constantFrom('host', 'h:1', '[::1]:2', '-y', 'h/../..', 'h|x', 'h:9?streamid=a'),
      fc.constantFrom('', '/', '/app', '/-y', '/a/b/c', '/|[f=mpegts]x', '?mode=listener', '/a?b=c&d', '/a#b', '\n-y'),
      fc.string({ unit: 'binary', maxLength: 6 }),
    )
    .map((parts) => parts.join('')),
);
const key = fc.oneof(fc.constant(''), fc.stringMatching(/^[!-~]{0,40}$/), fc.string({ unit: 'binary' }));

describe('whatever is pasted', () => {
  it('is refused, or becomes one address of a known kind, known options, and one line of a file', () => {
    let accepted = 0;
    fc.assert(
      fc.property(nasty, key, (url, secretKey) => {
        let destination: Destination;
        try {
          destination = of(url, secretKey);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(StudioError);
          return;
        }
        accepted += 1;
        expect(destination.url).toMatch(
          /^(rtmps?|srt):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(:\d{1,5})?(\/[A-Za-z0-9._~%+/-]+)?(\?[A-Za-z0-9._~%&=+,:#!/-]*)?$/,
        );
        for (const [name, value] of destination.options) {
          expect(['rtmp_app', 'rtmp_playpath']).toContain(name);
          expect(value).toMatch(/^[!-~]+$/);
        }
        if (destination.secret) {
          const preset = secretPreset(destination.secret);
          expect(preset).toMatch(/^(rtmp_playpath|srt_streamid|passphrase)=[!-~]{1,512}\n$/);
          expect(preset.slice(preset.indexOf('=') + 1, -1)).toBe(secretKey);
        }
        // each option takes the word after it, whatever that is: so an even tail, ended by the format and the address
        const args = pushArgs({ destination, sound: 'aac', secretFile: '/x/secret', caFile: undefined });
        expect(args.slice(-3)).toEqual(['-f', destination.format, destination.url]);
        expect(args.filter((arg) => arg.includes('://'))).toEqual([destination.url]);
        if (secretKey.length > 12) expect(args.join('\n')).not.toContain(secretKey);
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });
});

describe('the arguments', () => {
  it('of a push copy what the other side takes, and give silence to who needs sound', () => {
    const words = (url: string, sound: 'aac' | 'other' | 'none'): string =>
      pushArgs({ destination: of(url, 'k'), sound, secretFile: '/f', caFile: undefined }).join(' ');
    expect(words('rtmp://h/a', 'aac')).toMatch(
      /-map 0:a:0 -c:v copy -c:a copy .*-rtmp_app a -fpre \/f -f flv rtmp:\/\/h\/a$/,
    );
    expect(words('rtmp://h/a', 'other')).toContain('-c:a aac');
    expect(words('srt://h:1', 'other')).toMatch(/-c:a copy .*-fpre \/f -f mpegts srt:/);
    expect(words('rtmp://h/a', 'none')).toMatch(/-re -f lavfi -i anullsrc.* -map 1:a:0 .*-shortest/);
  });

  it('check certificates where there are any, and take the key where ffmpeg reads no files', () => {
    const args = pushArgs({ destination: of('rtmps://h/a', 'k'), sound: 'aac', secretFile: undefined, caFile: '/ca' });
    expect(args.join(' ')).toContain('-tls_verify 1 -ca_file /ca -rtmp_playpath k -f flv');
  });
});

it.each([
  ['5.1.9-0+deb12u1', false],
  ['6.0', false],
  ['6.1.1', true],
  ['n7.1', true],
  ['N-118000-gabcdef', true],
])('ffmpeg %s takes HEVC over RTMP: %s', (version, answer) => expect(speaksEnhancedRtmp(version)).toBe(answer));
