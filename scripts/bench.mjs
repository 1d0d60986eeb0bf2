/** `npm run bench -- [NAME ...] [--no-install]`: runs bench/NAME.ts, each in a process of its own; all when none is named. */
import './lib/node-version.mjs';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { findChromium, findPythonWithOpenCv } from './lib/programs.mjs';
import { command, ROOT, run, Stop } from './lib/run.mjs';
import { watchNpm } from './npm-watch.mjs';
import { ensure } from './setup.mjs';

const LIMIT_MS = 30 * 60_000;

await command(async () => {
  watchNpm();
  const args = process.argv.slice(2);
  const flags = args.filter((arg) => arg.startsWith('-') && arg !== '--no-install');
  const known = readdirSync(join(ROOT, 'bench'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length));
  const asked = args.filter((arg) => !arg.startsWith('-'));
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Stop(`there is no bench called ${unknown.join(', ')}; there is: ${known.join(', ') || 'none yet'}.`, 2);
  }
  await ensure({ npm: true, ffmpeg: true, tests: true, install: !args.includes('--no-install') });
  await build();
  const failed = [];
  for (const name of asked.length > 0 ? asked : known) {
    process.stdout.write(`\n== ${name}\n`);
    const argv = [process.execPath, join(ROOT, 'scripts', 'lib', 'run-ts.mjs'), join('bench', `${name}.ts`), ...flags];
    const env = { ...process.env, PITWALL_CHROMIUM: findChromium(), PITWALL_PYTHON: findPythonWithOpenCv() };
    const result = await run(argv, { timeoutMs: LIMIT_MS, output: 'inherit', env });
    if (!result.ok) failed.push(name);
  }
  if (failed.length > 0) throw new Stop(`failed: ${failed.join(', ')}.`);
});
