import { expect, test } from 'vitest';
import { countsOf } from './vitest.mjs';

test('counts of a report, where a file that could not be loaded is a failure', () => {
  const report = {
    numPassedTests: 5,
    numFailedTests: 1,
    numPendingTests: 2,
    numTodoTests: 1,
    testResults: [
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
      { status: 'failed', assertionResults: [] },
    ],
  };
  expect(countsOf(report)).toEqual({ passed: 5, failed: 2, skipped: 3 });
  expect(countsOf({})).toEqual({ passed: 0, failed: 0, skipped: 0 });
});
