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

const HEADLESS_ENTRY = join(ROOT, 'out', 'main', 'headless.js');

/** @param {'browser' | 'headless'} shell @param {readonly string[]} flags */
async function runHere(shell, flags) {
  process.env['PITWALL_SHELL'] = shell;
  process.argv = [process.execPath, HEADLESS_ENTRY, ...flags];
  await import(pathToFileURL(HEADLESS_ENTRY).href);
}

await command(async () => {
  watchNpm();
  const flags = process.argv.slice(2);
  const install = !flags.includes('--no-install');
  await ensure({ npm: true, install });
  await build();
  // Answered by the studio's own parser of flags; needs nothing else.
  if (flags.includes('--help') || flags.includes('--version')) return runHere('headless', flags);

  await ensure({ ffmpeg: true, install });
  if (flags.includes('--headless')) return runHere('headless', flags);

  const electron = await findElectron({ install });
  const outcome = 'program' in electron ? await runElectron(electron.program, flags) : electron;
  if ('code' in outcome) return outcome.code;
  say(`${outcome.reason}, so the same studio opens in the browser.`);
  return runHere('browser', flags);
});
