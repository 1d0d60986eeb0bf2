/** Running vitest and counting what it says. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium, findPythonWithOpenCv } from './programs.mjs';
import { ROOT, run } from './run.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

const LIMIT_MS = 2 * 3600_000;

/**
 * One vitest over some of its projects; its usual report goes to stdout.
 * @param {readonly string[]} projects @param {readonly string[]} flags for vitest
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<Counts>} a run that broke down counts as one failure more
 */
export async function vitest(projects, flags, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pitwall-test-'));
  const report = join(folder, 'report.json');
  try {
    const result = await run(
      [
        process.execPath,
        join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
        'run',
        ...projects.flatMap((project) => ['--project', project]),
        '--passWithNoTests',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        ...flags,
      ],
      { timeoutMs: LIMIT_MS, output: 'inherit', env: { ...process.env, ...programs(), ...env } },
    );
    const counts = countsOf(readReport(report));
    if (!result.ok && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The tests use the very programs that set-up found. */
function programs() {
  return { PITWALL_CHROMIUM: findChromium(), PITWALL_PYTHON: findPythonWithOpenCv() };
}

/** @param {string} file */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

/**
 * @param {{ numPassedTests?: number, numFailedTests?: number, numPendingTests?: number, numTodoTests?: number,
 *   testResults?: { status: string, assertionResults: { status: string }[] }[] }} report vitest's JSON report
 * @returns {Counts}
 */
export function countsOf(report) {
  // A file that cannot be loaded has no tests to fail.
  const broken = (report.testResults ?? []).filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return {
    passed: report.numPassedTests ?? 0,
    failed: (report.numFailedTests ?? 0) + broken,
    skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
  };
}

/** @param {Counts} a @param {Counts} b @returns {Counts} */
export const sum = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});
