import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OPENCV_OPTIONS, playAddress, snippets } from './snippets.ts';

const ADDRESS = 'rtmp://127.0.0.1:1935/live/test';
const textOf = (id: string, address = ADDRESS, platform = 'linux'): string =>
  snippets(address, platform).find((one) => one.id === id)?.text ?? '';

test('the Python examples open the stream with the same options', () => {
  const example = (name: string): string => readFileSync(`examples/python/${name}`, 'utf8');
  expect(/^OPENCV_OPTIONS = "(.*)"$/m.exec(example('live_frames.py'))?.[1]).toBe(OPENCV_OPTIONS);
  const [, dictionary] = /^OPTIONS = \{(.*)\}$/m.exec(example('pyav_frames.py')) ?? [];
  expect(dictionary).toBeDefined();
  expect(textOf('pyav')).toContain(`options = {${dictionary ?? ''}}`);
  expect(example('README.md')).toContain(OPENCV_OPTIONS);
});

test('OpenCV gets the options before it opens the stream', () => {
  const text = textOf('opencv');
  expect(text).toContain(OPENCV_OPTIONS);
  expect(text.indexOf('os.environ')).toBeLessThan(text.indexOf('VideoCapture'));
  expect(text).toContain(`cv2.VideoCapture("${ADDRESS}", cv2.CAP_FFMPEG)`);
});

test('the play key goes into every text', () => {
  const address = playAddress(ADDRESS, 'abc-1');
  expect(address).toBe(`${ADDRESS}?key=abc-1`);
  for (const { text } of snippets(address, 'linux')) expect(text).toContain('?key=abc-1');
  expect(playAddress(ADDRESS, '')).toBe(ADDRESS);
});

test.each([
  ['linux', `'${ADDRESS}?key=a'`],
  ['darwin', `'${ADDRESS}?key=a'`],
  ['win32', `"${ADDRESS}?key=a"`],
])('no shell of %s reads the address', (platform, quoted) => {
  for (const id of ['ffplay', 'mpv', 'vlc']) {
    expect(textOf(id, `${ADDRESS}?key=a`, platform)).toMatch(new RegExp(` ${quoted.replaceAll('?', '\\?')}$`));
  }
});
