import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pino } from 'pino';
import type { CaptureInfo, SessionState, Source } from '../../../contract/index.ts';
import { FollowGame } from './follow.ts';

const window = (id: string, name: string, suggested = true): Source => ({
  id,
  kind: 'window',
  name,
  suggested,
  available: true,
});
const GAME = window('window:0x1', 'Assetto Corsa');
const OTHER = window('window:0x9', 'Notes', false);
const ERROR = { code: 'capture-failed', message: 'No.', remedy: 'Yes.' } as const;

const infoOf = ({ id, name, kind }: Source): CaptureInfo => ({ id, name, kind });

/** A studio in which capture always works at once, unless told otherwise. */
function world(pollMs: number | null = null) {
  const said: string[] = [];
  const started: string[] = [];
  let sources: Source[] = [OTHER];
  let session: SessionState = { state: 'idle' };
  let enabled = true;
  let works = true;
  let looked = 0;
  const begin = (source: Source): void => {
    session = { state: 'live', source: infoOf(source), since: 1 };
    follow.chosen(source);
    follow.changed();
  };
  const follow = new FollowGame({
    enabled: () => enabled,
    sources: () => sources,
    session: () => session,
    refresh: async () => {
      looked++;
      return Promise.resolve();
    },
    start: async (id) => {
      started.push(id);
      const source = sources.find((candidate) => candidate.id === id);
      if (!works || !source) return Promise.reject(new Error('it does not work'));
      begin(source);
      return Promise.resolve();
    },
    tell: (message) => void said.push(message),
    log: pino({ level: 'silent' }),
    pollMs,
  });
  const see = (...now: Source[]): void => {
    sources = now;
    follow.changed();
  };
  const set = (state: SessionState): void => {
    session = state;
    follow.changed();
  };
  follow.begin();
  return {
    follow,
    said,
    started,
    /** these windows are open now */
    see,
    /** the same, and a second later */
    open: async (...now: Source[]) => {
      see(...now);
      await vi.advanceTimersByTimeAsync(1000);
    },
    /** as a session sees it: the window is gone, before the list says so */
    close: (id: string) => {
      set(follow.noteGone(id) ? { state: 'idle' } : { state: 'failed', source: null, error: ERROR, at: 1 });
    },
    userStarts: begin,
    userStops: async () => {
      follow.userStopped();
      set({ state: 'idle' });
      await vi.advanceTimersByTimeAsync(1000);
    },
    fail: (source: Source) => set({ state: 'failed', source: infoOf(source), error: ERROR, at: 1 }),
    enable: async (on: boolean) => {
      enabled = on;
      follow.changed();
      await vi.advanceTimersByTimeAsync(1000);
    },
    breakIt: () => (works = false),
    looks: () => looked,
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the game is captured when it appears, ends quietly when it closes, and is captured again', async () => {
  const { open, close, started, said } = world();
  await open(OTHER, GAME);
  expect(started).toEqual([GAME.id]);
  close(GAME.id);
  await open(OTHER);
  const again = window('window:0x2', 'Assetto Corsa');
  await open(OTHER, again);
  expect(started).toEqual([GAME.id, again.id]);
  expect(said).toEqual([
    'Assetto Corsa appeared, so streaming started.',
    'Assetto Corsa was closed, so streaming stopped. The replay is kept.',
    'Assetto Corsa appeared, so streaming started.',
  ]);
});

test('a splash that is gone within moments starts nothing', async () => {
  const { see, started } = world();
  see(GAME);
  await vi.advanceTimersByTimeAsync(100);
  see();
  await vi.advanceTimersByTimeAsync(2000);
  expect(started).toEqual([]);
});

test('Stop by hand pauses it until the game was closed', async () => {
  const { open, userStops, started } = world();
  await open(GAME);
  await userStops();
  await open(GAME, OTHER);
  expect(started).toEqual([GAME.id]);
  await open(OTHER);
  await open(OTHER, window('window:0x3', 'Assetto Corsa'));
  expect(started).toEqual([GAME.id, 'window:0x3']);
});

test('another source chosen by hand is left alone, also when it ends', async () => {
  const { open, close, userStarts, started } = world();
  await open(GAME);
  userStarts(OTHER);
  await open(GAME, OTHER);
  close(OTHER.id);
  await open(GAME);
  expect(started).toEqual([GAME.id]);
});

test('a game that was started by hand ends quietly as well, and comes back', async () => {
  const { follow, open, close, userStarts, started } = world();
  userStarts(GAME);
  await open(GAME);
  expect(started).toEqual([]);
  close(GAME.id);
  await open(window('window:0x4', 'Assetto Corsa'));
  expect(started).toEqual(['window:0x4']);
  expect(follow.noteGone('window:0x99')).toBe(false);
});

test('what cannot be captured is not tried again and again', async () => {
  const { open, breakIt, started } = world();
  breakIt();
  await open(GAME);
  await open(GAME, OTHER);
  expect(started).toEqual([GAME.id]);
});

test('a capture that failed later is left as it is', async () => {
  const { open, fail, started, said } = world();
  await open(GAME);
  fail(GAME);
  await open(GAME, OTHER);
  expect(started).toEqual([GAME.id]);
  expect(said).toHaveLength(1);
});

test('switched off it does nothing, and switched on it looks at once', async () => {
  const { follow, enable, open, started } = world();
  await enable(false);
  await open(GAME);
  expect(started).toEqual([]);
  await enable(true);
  expect(started).toEqual([GAME.id]);
  await enable(false);
  expect(follow.noteGone(GAME.id)).toBe(false);
});

test('switched off and on again it takes up the game that was stopped by hand', async () => {
  const { open, enable, userStops, started } = world();
  await open(GAME);
  await userStops();
  await enable(false);
  await enable(true);
  expect(started).toEqual([GAME.id, GAME.id]);
});

test('where nothing tells of windows it looks for them, but not while it captures', async () => {
  const { follow, open, userStops, looks } = world(3000);
  await vi.advanceTimersByTimeAsync(9500);
  expect(looks()).toBe(3);
  await open(GAME);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(looks()).toBe(3);
  await userStops();
  await vi.advanceTimersByTimeAsync(3000);
  expect(looks()).toBe(4);
  follow.close();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(looks()).toBe(4);
});

test('a minimised game waits until it is shown', async () => {
  const { open, started } = world();
  await open({ ...GAME, available: false });
  expect(started).toEqual([]);
  await open(GAME);
  expect(started).toEqual([GAME.id]);
});
