/**
 * `npm test`: set-up, check, build, then all tests. Flags: --no-install, --only unit|ui|e2e (that suite alone, without
 * the check); others go to vitest. The last line is `N passed, N failed, N skipped`; the steps of the check and the
 * build count as one each.
 */
import './lib/node-version.mjs';
import { build } from './build.mjs';
import { check } from './check.mjs';
import { command, say, Stop } from './lib/run.mjs';
import { sum, vitest } from './lib/vitest.mjs';
import { watchNpm } from './npm-watch.mjs';
import { ensure } from './setup.mjs';

/** The end-to-end tests measure time, so they have the machine to themselves. */
const ROUNDS = [['unit', 'ui'], ['e2e']];

/** @param {readonly string[]} args */
function parse(args) {
  const rest = [...args];
  const noInstall = rest.indexOf('--no-install');
  if (noInstall >= 0) rest.splice(noInstall, 1);
  const at = rest.indexOf('--only');
  const only = at < 0 ? undefined : rest.splice(at, 2)[1];
  if (at >= 0 && !ROUNDS.flat().includes(only ?? '')) throw new Stop('--only takes unit, ui or e2e.', 2);
  return { only, install: noInstall < 0, rest };
}

await command(async () => {
  watchNpm();
  const { only, install, rest } = parse(process.argv.slice(2));
  await ensure({ npm: true, ffmpeg: true, tests: true, install });

  let total = { passed: 0, failed: 0, skipped: 0 };
  if (only === undefined) {
    const { passed, failed } = await check();
    total = { passed, failed: failed.length, skipped: 0 };
    if (failed.length > 0) say(`the check failed: ${failed.join(', ')}; the tests run nevertheless`);
  }
  try {
    await build();
    total.passed += 1;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    say(error.message);
    total.failed += 1;
  }

  let tests = { passed: 0, failed: 0, skipped: 0 };
  for (const round of only === undefined ? ROUNDS : [[only]]) tests = sum(tests, await vitest(round, rest));
  const none = tests.passed + tests.failed === 0;
  if (none) say('no test ran.');
  total = sum(total, tests);
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return none || total.failed > 0 ? 1 : 0;
});
