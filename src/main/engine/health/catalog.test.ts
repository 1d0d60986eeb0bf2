import path from 'node:path';
import { format } from 'prettier';
import { expect, it } from 'vitest';
import { ProblemCode } from '../../../contract/index.ts';
import { CATALOG, type CatalogEntry } from './catalog.ts';

const seconds = (value: number): string => (value === 0 ? 'at once' : `${value} s`);

const row = (code: string, entry: CatalogEntry): string => {
  const { severity, windowSeconds, holdSeconds, clearSeconds, when, remedy } = entry;
  const over = windowSeconds === 0 ? '' : `${windowSeconds} s`;
  return `| \`${code}\` | ${severity} | ${when} | ${over} | ${seconds(holdSeconds)} | ${seconds(clearSeconds)} | ${remedy} |`;
};

const page = (): string =>
  [
    '# What Pitwall watches over',
    'The closed list of problems: shown in the window, in `/api/status` (`health.problems`) and once in the log when one appears and when it is over. Generated from `src/main/engine/health/catalog.ts`; `npx vitest run --project unit src/main/engine/health/catalog.test.ts -u` writes it anew.',
    [
      '| problem | severity | when | measured over | told after | taken back after | remedy |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      ...ProblemCode.options.map((code) => row(code, CATALOG[code])),
    ].join('\n'),
  ].join('\n\n');

it('the documentation says what the catalog says', async () => {
  const text = await format(page(), { parser: 'markdown', printWidth: 120 });
  await expect(text).toMatchFileSnapshot(path.resolve(import.meta.dirname, '../../../../docs/HEALTH.md'));
});

it('names every problem of the contract, each with what counts and what to do', () => {
  expect(Object.keys(CATALOG).sort()).toEqual([...ProblemCode.options].sort());
  for (const { when, remedy } of Object.values(CATALOG)) {
    expect(when).toMatch(/^[A-Z].*\.$/);
    expect(remedy.length).toBeGreaterThan(10);
  }
});
