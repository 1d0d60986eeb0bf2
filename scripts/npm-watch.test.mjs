/** The watch over npm with a real npm, killed in ways it cannot or does not pass on to its script. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { npm } from './lib/npm-packages.mjs';
import { isPackageManager } from './npm-watch.mjs';

/** @type {string} */
let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pitwall-npm-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', scripts: { start: 'node entry.mjs' } }));
  writeFileSync(
    join(folder, 'entry.mjs'),
    `import { writeFileSync } from 'node:fs';
     import { watchNpm } from ${JSON.stringify(new URL('npm-watch.mjs', import.meta.url).href)};
     process.once('SIGTERM', () => { writeFileSync('ended', 'SIGTERM'); process.exit(0); });
     const bound = setTimeout(() => process.exit(1), 30_000);
     watchNpm();
     process.stdout.write('watching\\n');`,
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** @param {readonly string[]} argv @returns {Promise<import('node:child_process').ChildProcess>} once the script is watching */
async function start(argv) {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'watching') return child;
  }
  throw new Error('the script did not start');
}

describe.skipIf(process.platform === 'win32')('under npm', () => {
  test.for(
    /** @type {const} */ ([
      [['start'], 'SIGKILL'],
      [['start', '--silent'], 'SIGTERM'],
      [['run', 'start', '--', '--headless', 'npm'], 'SIGKILL'],
    ]),
  )('npm %j ended by %s ends its script by SIGTERM', async ([args, signal]) => {
    const child = await start([...npm(), ...args]);
    child.kill(signal);
    // Not by the pid: in a container nobody may wait for orphans, and a zombie still has one.
    await expect.poll(() => existsSync(join(folder, 'ended')), { timeout: 5000 }).toBe(true);
  });
});

test('without npm nothing is watched', async () => {
  const { npm_lifecycle_event: _, ...env } = process.env;
  const child = spawn(
    process.execPath,
    ['-e', 'import(process.argv[1]).then((m) => m.watchNpm())', new URL('npm-watch.mjs', import.meta.url).href],
    {
      env,
      stdio: 'ignore',
    },
  );
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(existsSync(join(folder, 'ended'))).toBe(false);
});

test.for(
  /** @type {const} */ ([
    ['npm start', true],
    ['npm exec pitwall', true],
    ['npm run start --silent', true],
    ['node\0/usr/local/bin/pnpm\0start\0', true],
    ['/usr/bin/node\0/usr/lib/node_modules/npm/bin/npm-cli.js\0start\0', true],
    ['sh\0-c\0npm start\0', false],
    ['node\0scripts/start.mjs\0npm\0', false],
    ['/usr/lib/systemd/systemd\0--user\0', false],
    ['', false],
  ]),
)('%j is a package manager: %s', ([title, expected]) => {
  expect(isPackageManager(title)).toBe(expected);
});
