import { describe, expect, it } from 'vitest';
import { WATCH } from '../capture/args.ts';
import { PictureHealth, blackProblem, type WatchedSource } from './picture-health.ts';

const grey = (level: number): Uint8Array => new Uint8Array(WATCH.frameBytes).fill(level);

type Answer = 'yes' | 'no' | 'unknown';

/** A capture of a window whose program answers as `answer` says, on a clock of its own. */
function capture({ kind = 'window', answer }: { kind?: WatchedSource['kind']; answer?: () => Answer | Error }) {
  let now = 0;
  const state = { asked: 0, changes: 0, logged: 0 };
  const health = new PictureHealth({
    platform: 'linux',
    clock: () => now,
    onChange: () => {
      state.changes++;
    },
    log: {
      info: () => {
        state.logged++;
      },
    },
  });
  health.begin({
    name: 'Assetto Corsa',
    kind,
    ...(answer && {
      responds: async () => {
        state.asked++;
        const said = answer();
        return said instanceof Error ? Promise.reject(said) : Promise.resolve(said);
      },
    }),
  });
  const show = async (level: (i: number) => number, seconds: number): Promise<void> => {
    for (let i = 0; i < seconds * 4; i++) {
      health.add(grey(level(i)));
      await new Promise((resolve) => setImmediate(resolve));
      now += 0.25;
    }
  };
  return { health, state, show, codes: () => health.problems.map(({ code }) => code) };
}

const moving = (i: number): number => 60 + (i % 20) * 5;

describe('frozen', () => {
  it('is a still picture whose program does not answer, two seconds after it stood still', async () => {
    let answer: Answer = 'yes';
    const { state, show, codes } = capture({ answer: () => answer });
    await show(moving, 5);
    expect(state.asked).toBe(0);
    answer = 'no';
    await show(() => 90, 2);
    expect(codes()).toEqual(['picture-frozen']);
    expect(state.changes).toBe(1);
    await show(moving, 0.5);
    expect(codes()).toEqual([]);
  });

  it('is not a still picture whose program answers, however long; and it is asked about once a second', async () => {
    const { state, show, codes } = capture({ answer: () => 'yes' });
    await show(() => 90, 120);
    expect(codes()).toEqual([]);
    expect(state.asked).toBeGreaterThan(60);
    expect(state.asked).toBeLessThan(160);
  });

  it('is over when the program answers again', async () => {
    let answer: Answer = 'no';
    const { show, codes } = capture({ answer: () => answer });
    await show(() => 90, 3);
    expect(codes()).toEqual(['picture-frozen']);
    answer = 'yes';
    await show(() => 90, 1.5);
    expect(codes()).toEqual([]);
  });

  it('is not said where nobody can be asked; after a minute without a change of a window or camera that alone is', async () => {
    for (const [kind, answer, wanted] of [
      ['window', () => 'unknown' as const, ['picture-frozen']],
      ['camera', undefined, ['picture-frozen']],
      ['screen', undefined, []],
    ] as const) {
      const { health, show, codes } = capture({ kind, ...(answer ? { answer } : {}) });
      await show(() => 90, 59);
      expect(codes()).toEqual([]);
      await show(() => 90, 3);
      expect(codes()).toEqual(wanted);
      expect(JSON.stringify(health.problems)).not.toMatch(/does not react/);
    }
  });

  it('survives a window that cannot be asked any more', async () => {
    const { state, show, codes } = capture({ answer: () => new Error('gone') });
    await show(() => 90, 5);
    expect(codes()).toEqual([]);
    expect(state.logged).toBeGreaterThan(0);
  });
});

describe('black', () => {
  it('is said with what it most likely means on this system and in this case', async () => {
    const { health, show } = capture({ answer: () => 'yes' });
    await show(() => 0, 3);
    expect(health.blackFromStart).toBeCloseTo(3);
    expect(health.problems).toEqual([blackProblem({ name: 'Assetto Corsa', kind: 'window' }, true, 'linux')]);
    await show(moving, 1);
    expect(health.problems).toEqual([]);
    await show(() => 0, 3);
    expect(health.blackFromStart).toBe(0);
    expect(health.problems).toEqual([blackProblem({ name: 'Assetto Corsa', kind: 'window' }, false, 'linux')]);
    health.end();
    expect(health.problems).toEqual([]);
  });

  it('has a remedy of its own for each system and case', () => {
    const remedy = (platform: NodeJS.Platform, fromStart: boolean, kind: WatchedSource['kind'] = 'window'): string =>
      blackProblem({ name: 'x', kind }, fromStart, platform).remedy;
    expect(remedy('darwin', true)).toMatch(/Screen & System Audio Recording/);
    expect(remedy('win32', true)).toMatch(/borderless.*HDR.*graphics card/);
    expect(remedy('linux', true)).toMatch(/still be loading.*whole screen/);
    expect(remedy('linux', true, 'screen')).toMatch(/portal/);
    expect(remedy('win32', false)).toMatch(/loading/);
    expect(remedy('linux', true, 'camera')).toMatch(/cover/);
  });

  it('and frozen may both be the case', async () => {
    const { show, codes } = capture({ answer: () => 'no' });
    await show(() => 0, 3);
    expect(codes()).toEqual(['picture-black', 'picture-frozen']);
  });

  it('of an ffmpeg before does not count for the next', async () => {
    const { health, show, codes } = capture({});
    await show(() => 0, 3);
    health.interrupt();
    expect(codes()).toEqual([]);
  });
});
