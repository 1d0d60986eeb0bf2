/** `npm run check`: everything that can be said about the code without running it. */
import './lib/node-version.mjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkLockfile } from './check-lockfile.mjs';
import { checkPaths } from './check-paths.mjs';
import { command, ROOT, run } from './lib/run.mjs';
import { ensure } from './setup.mjs';

const STEP_LIMIT_MS = 10 * 60_000;
/** The type checker and the linter take a core and a gigabyte each. */
const AT_A_TIME = 2;

/** @typedef {{ name: string, check: () => Promise<string> }} Step `check` answers what is wrong, or nothing */

/** @param {string} name @param {string} bin below node_modules @param {readonly string[]} args @returns {Step} */
const tool = (name, bin, ...args) => ({
  name,
  check: async () => {
    const argv = [process.execPath, join(ROOT, 'node_modules', bin), ...args];
    const result = await run(argv, { timeoutMs: STEP_LIMIT_MS, output: 'capture' });
    if (result.ok) return '';
    return result.timedOut
      ? `still running after ${STEP_LIMIT_MS / 60_000} minutes`
      : result.output || `exit code ${result.code}`;
  },
});

/** @type {readonly Step[]} */
const STEPS = [
  tool('eslint', 'eslint/bin/eslint.js', '.', '--max-warnings', '0'),
  tool('tsc', 'typescript/bin/tsc', '--project', '.', '--pretty', 'false'),
  tool('tsc scripts', 'typescript/bin/tsc', '--project', 'scripts', '--pretty', 'false'),
  tool('prettier', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'),
  tool('knip', 'knip/bin/knip.js', '--no-progress'),
  tool(
    'dependency-cruiser',
    'dependency-cruiser/bin/dependency-cruise.mjs',
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'err',
    ...['src', 'e2e', 'bench', 'test'].filter((folder) => existsSync(join(ROOT, folder))),
  ),
  { name: 'lock file', check: async () => checkLockfile().join('\n') },
  { name: 'machine paths', check: async () => (await checkPaths()).join('\n') },
];

/**
 * Runs every step, prints a line for each and the findings of those that failed.
 * @returns {Promise<{ passed: number, failed: string[] }>}
 */
export async function check() {
  const queue = [...STEPS];
  /** @type {{ name: string, findings: string }[]} */
  const failed = [];
  const worker = async () => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      const started = performance.now();
      const findings = await step.check();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      process.stdout.write(`${findings === '' ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s)\n`);
      if (findings !== '') failed.push({ name: step.name, findings });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  for (const { name, findings } of failed) process.stdout.write(`\n--- ${name}\n${findings.trim()}\n`);
  return { passed: STEPS.length - failed.length, failed: failed.map((step) => step.name) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await command(async () => {
    await ensure({ npm: true, install: !process.argv.includes('--no-install') });
    const { failed } = await check();
    if (failed.length > 0) process.stdout.write(`\ncheck failed: ${failed.join(', ')}\n`);
    return failed.length > 0 ? 1 : 0;
  });
}
