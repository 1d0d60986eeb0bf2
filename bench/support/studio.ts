import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { z } from 'zod';
import { StatusDocument } from '../../src/contract/status.ts';
import { endChild } from '../../test/support/xvfb.ts';
import { deadline, until, type Bench } from './bench.ts';

const READY_MS = 20_000;
const START_MS = 20_000;

const Ready = z.object({ event: z.literal('ready'), url: z.string(), rtmp: z.string(), pid: z.int() });

/** The built studio, headless, as a process of its own on free ports. */
export type StudioProcess = {
  readonly url: string;
  readonly rtmp: string;
  readonly pid: number;
  status(): Promise<StatusDocument>;
  /** Resolves once the capture is live. */
  start(source: string): Promise<StatusDocument>;
  stop(): Promise<void>;
};

/** Starts `out/main/headless.js` on `display`. Errors: rejects when it is not ready in time, or what it said instead. */
export async function startStudio(bench: Bench, display: string): Promise<StudioProcess> {
  const folder = path.join(bench.folder, 'studio');
  const child = spawn(
    process.execPath,
    [
      ...['out/main/headless.js', '--headless', '--no-open', '--port', '0', '--rtmp-port', '0'],
      ...['--data', path.join(folder, 'data'), '--clips', path.join(folder, 'clips')],
    ],
    { env: { ...process.env, DISPLAY: display }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  bench.onEnd(async () => endChild(child));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-2000)));
  const line = new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('\n')) resolve(text);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the studio ended with ${String(code)}: ${said}`)));
  });
  const ready = Ready.parse(JSON.parse(await deadline(READY_MS, 'the studio to be ready', line)));

  const ask = async (method: 'GET' | 'POST', route: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(new URL(route, ready.url), {
      method,
      signal: AbortSignal.timeout(START_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const status = async (): Promise<StatusDocument> => StatusDocument.parse(await ask('GET', '/api/status'));
  return {
    url: ready.url,
    rtmp: ready.rtmp,
    pid: ready.pid,
    status,
    async start(source) {
      await ask('POST', '/api/capture/start', { source });
      return until(START_MS, 'the capture to be live', async () => {
        const now = await status();
        return now.state === 'live' ? now : undefined;
      });
    },
    async stop() {
      await ask('POST', '/api/capture/stop');
    },
  };
}

/** Id and picture size of what is captured. Errors: throws when the studio does not say. */
export function capturedWindow({ source }: StatusDocument): { id: string; width: number; height: number } {
  if (source?.width === undefined || source.height === undefined)
    throw new Error('the studio does not say what it captures');
  return { id: source.id, width: source.width, height: source.height };
}
