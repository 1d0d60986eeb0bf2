import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusal, type GuardInput } from './guard.ts';
import { parseRange } from './range.ts';

const PORT = 1688;
const base: GuardInput = {
  method: 'GET',
  path: '/api/status',
  host: `127.0.0.1:${PORT}`,
  origin: undefined,
  fetchSite: undefined,
  fetchMode: undefined,
  fetchDest: undefined,
};
const allowed = (change: Partial<GuardInput>): boolean => refusal({ ...base, ...change }, PORT) === undefined;

describe('who may speak to the studio', () => {
  it('is any program on this computer, by any of its loopback names', () => {
    for (const host of ['127.0.0.1:1688', 'localhost:1688', 'LOCALHOST:1688', '[::1]:1688'])
      expect(allowed({ host })).toBe(true);
  });

  it('is our own page', () => {
    expect(allowed({ origin: 'http://127.0.0.1:1688', fetchSite: 'same-origin' })).toBe(true);
    expect(allowed({ fetchSite: 'none' })).toBe(true);
  });

  it('is not a name that was pointed at us (DNS rebinding), another port or no name', () => {
    for (const host of [
      'evil.example:1688',
      '127.0.0.1',
      '127.0.0.1:80',
      '127.0.0.1:16880',
      'localhost.evil.example:1688',
      '',
      undefined,
    ]) {
      expect(allowed({ host })).toBe(false);
    }
  });

  it('is not another page, nor a page of another localhost port', () => {
    for (const origin of ['https://evil.example', 'http://127.0.0.1:3000', 'http://localhost:1688', 'null'])
      expect(allowed({ origin })).toBe(false);
    for (const fetchSite of ['cross-site', 'same-site', 'nonsense']) expect(allowed({ fetchSite })).toBe(false);
  });

  it('may come from anywhere only to open the studio itself', () => {
    const navigation = { fetchSite: 'cross-site', fetchMode: 'navigate', fetchDest: 'document' };
    expect(allowed({ ...navigation, path: '/' })).toBe(true);
    expect(allowed({ ...navigation, path: '/api/status' })).toBe(false);
    expect(allowed({ ...navigation, path: '/', method: 'POST' })).toBe(false);
    expect(allowed({ ...navigation, path: '/', fetchDest: 'iframe' })).toBe(false);
  });
});

describe('byte ranges', () => {
  it.each([
    ['bytes=0-', 100, { from: 0, to: 99 }],
    ['bytes=10-19', 100, { from: 10, to: 19 }],
    ['bytes=90-500', 100, { from: 90, to: 99 }],
    ['bytes=-10', 100, { from: 90, to: 99 }],
    ['bytes=-500', 100, { from: 0, to: 99 }],
    ['bytes=100-', 100, 'unsatisfiable'],
    ['bytes=-0', 100, 'unsatisfiable'],
    ['bytes=5-4', 100, 'unsatisfiable'],
    ['bytes=0-1,5-6', 100, undefined],
    ['items=0-1', 100, undefined],
    [undefined, 100, undefined],
  ])('%s of %i', (header, size, expected) => {
    expect(parseRange(header, size)).toEqual(expected);
  });

  it('never leave the body, whatever is asked', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.nat(), fc.nat({ max: 5000 }), (text, a, b, size) => {
        for (const header of [text, `bytes=${a}-${b}`, `bytes=-${a}`, `bytes=${a}-`]) {
          const range = parseRange(header, size);
          if (typeof range === 'object')
            expect(range.from >= 0 && range.from <= range.to && range.to < size).toBe(true);
        }
      }),
    );
  });
});
