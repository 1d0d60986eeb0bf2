import { expect, test } from 'vitest';
import { checkLockfile, faultsOfLock } from './check-lockfile.mjs';

const SOUND = {
  lock: {
    packages: {
      '': { dependencies: { a: '1.0.0' } },
      'node_modules/a': {
        version: '1.0.0',
        integrity: 'sha512-a',
        optionalDependencies: { 'a-linux': '1', 'a-win': '1' },
      },
      'node_modules/a-linux': { version: '1.0.0', integrity: 'sha512-l' },
      'node_modules/a/node_modules/a-win': { version: '1.0.0', integrity: 'sha512-w' },
    },
  },
  manifest: { dependencies: { a: '1.0.0' } },
};

test('our own lock and a small sound one have no fault', () => {
  expect(checkLockfile()).toEqual([]);
  expect(faultsOfLock(SOUND.lock, SOUND.manifest)).toEqual([]);
});

test('a package of another system that npm left out is named', () => {
  const { 'node_modules/a/node_modules/a-win': _, ...packages } = SOUND.lock.packages;
  expect(faultsOfLock({ packages }, SOUND.manifest)).toEqual(['node_modules/a wants a-win, which is not in the lock']);
});

test('one that lies where Node would not find it is missing too', () => {
  const { 'node_modules/a/node_modules/a-win': win, ...rest } = SOUND.lock.packages;
  const packages = { ...rest, 'node_modules/a-linux/node_modules/a-win': win };
  expect(faultsOfLock({ packages }, SOUND.manifest)).toEqual(['node_modules/a wants a-win, which is not in the lock']);
});

test('ranges, differences, other hosts and missing hashes', () => {
  const faults = faultsOfLock(
    {
      packages: {
        '': { dependencies: { a: '^1.0.0' }, devDependencies: { b: '1.0.0' } },
        'node_modules/a': { version: '1.0.0', integrity: 'sha512-a', resolved: 'https://mirror.example/a.tgz' },
        'node_modules/b': { version: '1.0.0' },
      },
    },
    { dependencies: { a: '^1.0.0' }, devDependencies: { b: '1.0.1' } },
  );
  expect(faults).toEqual([
    'node_modules/a comes from somewhere else than https://registry.npmjs.org/',
    'node_modules/b has no integrity',
    'dependencies.a is not pinned to one version: ^1.0.0',
    'devDependencies.b differs between package.json and the lock',
  ]);
});
