/**
 * `npm run dist`: the packaged app for this system, unpacked, in dist/. PITWALL_ELECTRON_DIST names a folder that holds
 * an unpacked Electron, where it cannot be downloaded. Further flags go to electron-builder (`-- --win` and so on).
 */
import './lib/node-version.mjs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { command, ROOT, run, say, Stop } from './lib/run.mjs';
import { ensure } from './setup.mjs';

const LIMIT_MS = 30 * 60_000;

await command(async () => {
  const flags = process.argv.slice(2).filter((flag) => flag !== '--no-install');
  await ensure({ npm: true, install: !process.argv.includes('--no-install') });
  await build();
  const electron = process.env['PITWALL_ELECTRON_DIST'];
  const argv = [
    process.execPath,
    join(ROOT, 'node_modules', 'electron-builder', 'cli.js'),
    '--dir',
    '--publish=never',
    ...(electron === undefined ? [] : [`-c.electronDist=${electron}`]),
    ...flags,
  ];
  const result = await run(argv, { timeoutMs: LIMIT_MS, output: 'capture' });
  if (result.ok) return say('packaged into dist/');
  process.stderr.write(result.output);
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|status code 4\d\d/.test(result.output)) {
    throw new Stop(
      "Electron's program could not be downloaded: try again with a network, set ELECTRON_MIRROR, " +
        'or name a folder with an unpacked Electron by PITWALL_ELECTRON_DIST.',
    );
  }
  throw new Stop('packaging failed; the reason is above.');
});
