/**
 * `npm start -- FLAGS`: set-up, build if need be, then the studio: in Electron, or, with --headless or where Electron
 * cannot be had, in this very process (so that the pid of the ready line is the studio's and signals reach it directly).
 */
import './lib/node-version.mjs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { findElectron, runElectron } from './lib/electron.mjs';
import { command, ROOT, say } from './lib/run.mjs';
import { watchNpm } from './npm-watch.mjs';
import { ensure } from './setup.mjs';

const BUILT = join(ROOT, 'out', 'main');

/** @param {readonly string[]} flags */
async function runHere(flags) {
  const entry = join(BUILT, 'headless.js');
  process.argv = [process.execPath, entry, ...flags];
  await import(pathToFileURL(entry).href);
}

await command(async () => {
  watchNpm();
  const flags = process.argv.slice(2);
  const install = !flags.includes('--no-install');
  await ensure({ npm: true, install });
  await build();
  const { parseCommandLine } = await import(pathToFileURL(join(BUILT, 'cli.js')).href);
  const commandLine = parseCommandLine(flags);
  // Help, version and bad usage are answered by the studio itself and need nothing else.
  if (!('run' in commandLine)) return runHere(flags);

  await ensure({ ffmpeg: true, install });
  if (commandLine.run.headless) return runHere(flags);

  const electron = await findElectron({ install });
  const outcome = 'program' in electron ? await runElectron(electron.program, flags) : electron;
  if ('code' in outcome) return outcome.code;
  say(`${outcome.reason}, so the same studio opens in the browser.`);
  return runHere(flags);
});
