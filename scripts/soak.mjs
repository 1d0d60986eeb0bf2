/** `npm run soak`: the unit and end-to-end tests with PITWALL_SOAK=1, by which tests repeat themselves many times. */
import './lib/node-version.mjs';
import { build } from './build.mjs';
import { command } from './lib/run.mjs';
import { sum, vitest } from './lib/vitest.mjs';
import { watchNpm } from './npm-watch.mjs';
import { ensure } from './setup.mjs';

await command(async () => {
  watchNpm();
  const flags = process.argv.slice(2).filter((flag) => flag !== '--no-install');
  await ensure({ npm: true, ffmpeg: true, tests: true, install: !process.argv.includes('--no-install') });
  await build();
  const unit = await vitest(['unit'], flags, { PITWALL_SOAK: '1' });
  const total = sum(unit, await vitest(['e2e'], flags, { PITWALL_SOAK: '1' }));
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
});
