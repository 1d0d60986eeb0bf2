/** The build: out/ from src/, only when something that goes into it changed. Also a command: `npm run build`. */
import './lib/node-version.mjs';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { command, ROOT, run, say, Stop } from './lib/run.mjs';
import { ensure } from './setup.mjs';

const INPUTS = ['src', 'resources', 'electron.vite.config.ts', 'tsconfig.json', 'package.json', 'package-lock.json'];
const STAMP = join(ROOT, 'out', '.stamp');
/** What a finished build has at least. */
const OUTPUTS = [
  'main/index.js',
  'main/headless.js',
  'main/cli.js',
  'main/rtmp-host.js',
  'preload/index.cjs',
  'renderer/index.html',
];
const BUILD_LIMIT_MS = 10 * 60_000;

/**
 * Builds unless out/ is what the present sources give. The stamp is removed first and written last, so a build that was
 * interrupted is done again. Errors: `Stop` 1 with the bundler's output above it.
 */
export async function build() {
  const wanted = hashOfInputs();
  if (isBuilt(wanted)) return;
  const started = performance.now();
  rmSync(STAMP, { force: true });
  const bin = join(ROOT, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');
  const result = await run([process.execPath, bin, 'build'], { timeoutMs: BUILD_LIMIT_MS, output: 'capture' });
  if (!result.ok || !OUTPUTS.every((file) => existsSync(join(ROOT, 'out', file)))) {
    process.stderr.write(result.output);
    throw new Stop(
      result.timedOut
        ? `the build was still running after ${BUILD_LIMIT_MS / 60_000} minutes and was stopped.`
        : 'the build failed; the reason is above.',
    );
  }
  writeFileSync(STAMP, wanted);
  say(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** @param {string} wanted */
function isBuilt(wanted) {
  if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== wanted) return false;
  return OUTPUTS.every((file) => existsSync(join(ROOT, 'out', file)));
}

function hashOfInputs() {
  const hash = createHash('sha256');
  for (const file of INPUTS.flatMap(filesUnder).sort()) {
    const content = readFileSync(join(ROOT, file));
    hash.update(`${file}\0${content.byteLength}\0`).update(content);
  }
  return hash.digest('hex');
}

/** @param {string} path relative to the repository @returns {string[]} */
function filesUnder(path) {
  const full = join(ROOT, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await command(async () => {
    await ensure({ npm: true, install: !process.argv.includes('--no-install') });
    await build();
  });
}
