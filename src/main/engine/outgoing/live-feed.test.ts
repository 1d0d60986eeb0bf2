import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../test/support/wait.ts';
import { ringOf } from '../replay/testing/ring.ts';
import { StreamBuilder } from '../replay/testing/stream.ts';
import { LiveFeed, type FeedEnd, type LiveFeedOptions } from './live-feed.ts';

const GOP_BYTES = 100_000;

/** A feed of a program in JavaScript, and a way to write groups of pictures into its ring. */
function setUp(program: string, options: Partial<LiveFeedOptions> = {}) {
  const { ring } = ringOf();
  const stream = new StreamBuilder();
  let pts = 0;
  const group = (spsByte = 0x88): void => {
    stream.psi();
    for (let i = 0; i < 10; i += 1) {
      stream.video({ key: i === 0, size: GOP_BYTES / 10, pts, spsByte });
      pts += 3000;
    }
    ring.write(stream.take());
  };
  const [ends, lines]: [FeedEnd[], string[]] = [[], []];
  let starts = 0;
  const feed = new LiveFeed({
    name: 'test',
    ring,
    log: pino({ level: 'silent' }),
    delaysMs: [10, 20],
    behindBytes: 1_000_000,
    ready: () => true,
    program: async () =>
      Promise.resolve({
        command: process.execPath,
        args: ['-e', program],
        onControlLine: (line: string) => void lines.push(line),
      }),
    onStart: () => (starts += 1),
    onEnd: (end) => void ends.push(end),
    ...options,
  });
  onTestFinished(async () => feed.close());
  return { ring, group, feed, ends, lines, starts: () => starts };
}

const COUNT = `
  let bytes = 0;
  process.stdin.on('data', (chunk) => { bytes += chunk.length; require('fs').writeSync(3, bytes + '\\n'); });`;

it('feeds what comes, and starts anew where the parameter sets change, which is no failure', async () => {
  const { ring, group, feed, ends, lines, starts } = setUp(COUNT);
  group();
  feed.follow('h264');
  await until('its bytes', 5000, () => Number(lines.at(-1)) > GOP_BYTES / 2);
  expect(starts()).toBe(1);
  // a new connection with the same parameter sets goes on
  ring.endInput();
  ring.beginEpoch({ sourceName: 'test' });
  const before = Number(lines.at(-1));
  group();
  await until('more of them', 5000, () => Number(lines.at(-1)) > before + GOP_BYTES / 2);
  expect(starts()).toBe(1);
  group(0x89);
  await until('a second program', 5000, () => starts() === 2);
  expect(ends).toEqual([]);
  feed.follow(undefined);
  await feed.close();
});

it('goes on at a newer picture when its program is too slow, and counts that', async () => {
  const { group, feed, ends } = setUp(
    `
    process.stdin.on('readable', () => undefined);
    setInterval(() => process.stdin.read(1000), 20);`,
    { behindBytes: 300_000 },
  );
  group();
  feed.follow('h264');
  await until('a skip', 10_000, () => {
    group();
    return feed.skips > 0;
  });
  expect(ends).toEqual([]);
});

it('starts a program again that ends, counts failures in a row, and hands on its cleaned words', async () => {
  const { group, feed, ends } = setUp('process.stderr.write("no SECRET here\\n"); process.exitCode = 1;', {
    clean: (line) => line.replaceAll('SECRET', '***'),
    program: async () =>
      Promise.resolve({ command: process.execPath, args: ['-e', 'console.error("no SECRET here"); process.exit(1)'] }),
    workMs: 5000,
  });
  group();
  feed.follow('h264');
  await until('three failures', 10_000, () => ends.length >= 3);
  expect(ends.map(({ attempt }) => attempt).slice(0, 3)).toEqual([1, 2, 3]);
  expect(ends[0]).toMatchObject({ why: 'failed', stderr: ['no *** here'] });
});

it('ends a program that does not say in time that it works', async () => {
  const { group, feed, ends } = setUp('process.stdin.resume()', { workMs: 300 });
  group();
  feed.follow('h264');
  await until('the end', 5000, () => ends.length > 0);
  expect(ends[0]).toMatchObject({ why: 'late', attempt: 1 });
});

it('counts what cannot be started as a failure, and cleans up after each', async () => {
  let cleaned = 0;
  const { group, feed, ends } = setUp('', {
    program: async () =>
      Promise.resolve({ command: '/nonexistent/program', args: [], done: () => void (cleaned += 1) }),
  });
  group();
  feed.follow('h264');
  await until('failures', 5000, () => ends.length >= 2);
  await feed.close();
  expect(cleaned).toBeGreaterThanOrEqual(2);
});
