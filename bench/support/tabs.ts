import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { endChild } from '../../test/support/xvfb.ts';
import { deadline, type Bench } from './bench.ts';

const START_MS = 20_000;
const ANSWER_MS = 5000;

const Target = z.object({ id: z.string(), webSocketDebuggerUrl: z.string() });
const Answer = z.object({ id: z.literal(1), result: z.object({ result: z.object({ value: z.unknown() }) }) });

/** One tab of a plain Chromium. */
export type Tab = {
  /** Brings it to the front: the tab that was there becomes a hidden page. */
  activate(): Promise<void>;
  /** the value of an expression in the page */
  evaluate(expression: string): Promise<unknown>;
};

export type TabBrowser = { readonly pid: number; open(url: string): Promise<Tab> };

/**
 * A Chromium driven over its DevTools endpoint (chromedevtools.github.io/devtools-protocol) and not by Playwright, which keeps every
 * page visible: `document.visibilityState` stays "visible" behind another tab and in an unmapped window (measured).
 */
export async function startTabBrowser(bench: Bench, display: string): Promise<TabBrowser> {
  const child = spawn(
    process.env['PITWALL_CHROMIUM'] ?? '/usr/bin/chromium',
    [
      ...[`--user-data-dir=${path.join(bench.folder, 'chromium-tabs')}`, '--remote-debugging-port=0'],
      ...['--window-position=0,0', '--window-size=1280,720', '--force-device-scale-factor=1'],
      ...['--no-first-run', '--no-default-browser-check', '--no-sandbox', '--test-type', 'about:blank'],
    ],
    { env: { ...process.env, DISPLAY: display }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  bench.onEnd(async () => endChild(child));
  const listening = new Promise<string>((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('utf8')).slice(-4000);
      const [, address] = /DevTools listening on ws:\/\/([\d.:]+)\//.exec(text) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Chromium ended with ${String(code)}: ${text}`)));
  });
  const address = await deadline(START_MS, 'Chromium to start', listening);
  const ask = async (route: string, method: 'GET' | 'PUT'): Promise<Response> => {
    const response = await fetch(`http://${address}/json/${route}`, { method, signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok) throw new Error(`DevTools ${route}: ${response.status}`);
    return response;
  };
  return {
    pid: child.pid ?? 0,
    async open(url) {
      const target = Target.parse(await (await ask(`new?${url}`, 'PUT')).json());
      return {
        activate: async () => {
          await ask(`activate/${target.id}`, 'GET');
        },
        evaluate: async (expression) => evaluate(target.webSocketDebuggerUrl, expression),
      };
    },
  };
}

async function evaluate(socketUrl: string, expression: string): Promise<unknown> {
  const socket = new WebSocket(socketUrl);
  try {
    const answer = new Promise<string>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('message', (data: Buffer) => resolve(data.toString('utf8')));
      socket.once('open', () =>
        socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression, returnByValue: true } })),
      );
    });
    return Answer.parse(JSON.parse(await deadline(ANSWER_MS, 'DevTools to answer', answer))).result.result.value;
  } finally {
    socket.terminate();
  }
}
