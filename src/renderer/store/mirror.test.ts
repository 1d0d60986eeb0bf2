import { expect, test } from 'vitest';
import { source, studioState } from '../test/studio.ts';
import { dropSteps, type HealthSample, withSample } from './history.ts';
import { applyStateEvent, type Mirror } from './mirror.ts';

const at = (revision: number): Mirror => ({ revision, state: studioState() });

test('a snapshot replaces everything, whatever was held', () => {
  const state = studioState({ sources: [source('a')] });
  expect(applyStateEvent(null, { type: 'snapshot', revision: 7, state })).toEqual({ revision: 7, state });
  expect(applyStateEvent(at(90), { type: 'snapshot', revision: 7, state })).toEqual({ revision: 7, state });
});

test('a delta replaces whole sections and leaves the others identical', () => {
  const before = at(3);
  const after = applyStateEvent(before, { type: 'delta', revision: 4, changed: { sources: [source('a')] } });
  if (after === 'hole') throw new Error('unexpected hole');
  expect(after.revision).toBe(4);
  expect(after.state.sources.map(({ id }) => id)).toEqual(['a']);
  expect(after.state.replay).toBe(before.state.replay);
});

test.each([
  ['one is missing', 3, 5],
  ['it came twice', 3, 3],
  ['it is older', 3, 2],
])('a delta is refused when %s', (_why, held, revision) => {
  expect(applyStateEvent(at(held), { type: 'delta', revision, changed: {} })).toBe('hole');
});

test('a delta before any snapshot is refused', () => {
  expect(applyStateEvent(null, { type: 'delta', revision: 1, changed: {} })).toBe('hole');
});

test('the history holds the last minute and a bounded number of reports', () => {
  const { health } = studioState();
  let history = withSample([], health, 0);
  history = withSample(history, health, 30_000);
  expect(withSample(history, health, 60_000).map((sample) => sample.at)).toEqual([30_000, 60_000]);
  for (let now = 60_000; now < 61_000; now++) history = withSample(history, health, now);
  expect(history).toHaveLength(240);
});

test('drops are steps of the counter, and a counter that starts again is no drop', () => {
  const { health } = studioState();
  let history: readonly HealthSample[] = [];
  for (const [second, dropped] of [0, 2, 2, 5, 0].entries()) {
    history = withSample(history, { ...health, dropped }, second * 1000);
  }
  expect(dropSteps(history).map(({ value }) => value)).toEqual([0, 2, 0, 3, 0]);
});
