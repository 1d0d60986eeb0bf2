import { expect, test } from 'vitest';
import type { PushStatus } from '../../contract/push.ts';
import type { RtmpPeer } from '../../contract/rtmp.ts';
import { peerFacts, peerName } from './peer-words.ts';
import { pushForm, readPushForm, SERVICES } from './push-form.ts';
import { pushWords } from './push-words.ts';

const peer: RtmpPeer = { id: 'p', path: '/live/test', address: '127.0.0.1', since: 100, own: false };

test.each([
  [{ own: true, client: 'Lavf59.27.100' }, 'This studio'],
  [{ client: 'FMLE/3.0 (compatible; Lavf59.27.100)' }, 'ffmpeg'],
  [{ client: 'FMLE/3.0 (compatible; FMSc/1.0) obs-output module (libobs version 29.0.2)' }, 'OBS'],
  [{ client: 'LNX 9,0,124,2' }, 'ffmpeg (OpenCV, mpv, ffplay)'],
  [{ client: 'Some Box 3' }, 'Some Box 3'],
  [{ client: '' }, 'Another program'],
  [{}, 'Another program'],
])('%o is called %s', (over, name) => {
  expect(peerName({ ...peer, ...over })).toBe(name);
});

test('what is known of a stream, and nothing of what is not', () => {
  expect(peerFacts(peer)).toEqual([]);
  expect(peerFacts({ ...peer, videoCodec: 'h264', fps: 29.97 })).toEqual(['H.264, 30 fps']);
  expect(
    peerFacts({
      ...peer,
      videoCodec: 'h264',
      audioCodec: 'aac',
      width: 1280,
      height: 720,
      fps: 59.94,
      kbps: 3100,
      skippedGops: 2,
    }),
  ).toEqual(['H.264 1280 × 720, 59.9 fps', 'AAC', '3.1 Mbit/s', '2 stretches skipped: it reads too slowly']);
});

const target: PushStatus = {
  id: 'push-1',
  name: 'Twitch',
  url: 'rtmp://live.twitch.tv/app',
  enabled: true,
  hasKey: true,
  state: 'off',
  since: 100,
  attempt: 0,
  kbps: null,
  skips: 0,
};

test.each([
  [{ state: 'off' }, 'Off', 'plain'],
  [{ state: 'waiting' }, 'Waits until something is live', 'plain'],
  [{ state: 'connecting' }, 'Connecting', 'busy'],
  [{ state: 'live', kbps: 6000 }, 'Live for 1:05 · 6.0 Mbit/s', 'ok'],
  [{ state: 'live', skips: 1 }, 'Live for 1:05 · jumped ahead 1 time: the server takes it too slowly', 'warn'],
  [{ state: 'retrying', attempt: 3 }, 'Trying again, attempt 3', 'warn'],
] as const)('a push target %o is told', (over, text, tone) => {
  expect(pushWords({ ...target, ...over }, 165)).toEqual({ text, tone });
});

test('the form asks for what is needed and says what is missing', () => {
  expect(readPushForm(pushForm())).toEqual({
    ok: false,
    errors: {
      name: 'A name of at most 60 characters.',
      url: 'An address that begins with rtmp://, rtmps:// or srt://.',
    },
  });
  for (const service of SERVICES) {
    expect(readPushForm({ ...pushForm(), ...service, key: ' live_1 ' })).toEqual({
      ok: true,
      request: { ...service, key: 'live_1' },
    });
  }
  const refused = readPushForm({ ...pushForm(), name: 'x', url: 'https://live.twitch.tv/app' });
  expect(refused.ok).toBe(false);
});

test('a kept key stays, is replaced, or is forgotten', () => {
  const { id, name, url } = target;
  const form = pushForm(target);
  expect(form.key).toBe('');
  expect(readPushForm(form, target)).toEqual({ ok: true, request: { id, name, url } });
  expect(readPushForm({ ...form, key: 'new' }, target)).toEqual({ ok: true, request: { id, name, url, key: 'new' } });
  expect(readPushForm({ ...form, forget: true }, target)).toEqual({ ok: true, request: { id, name, url, key: '' } });
});
