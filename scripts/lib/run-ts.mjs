/** `node scripts/lib/run-ts.mjs FILE [ARGS]`: runs a TypeScript module (Node 20 strips no types) with its own argv. */
import { resolve } from 'node:path';
import { runnerImport } from 'vite';

const [file = '', ...args] = process.argv.slice(2);
const path = resolve(file);
process.argv = [process.execPath, path, ...args];
await runnerImport(path, { configFile: false, root: process.cwd(), logLevel: 'warn' });
