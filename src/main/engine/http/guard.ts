import type { IncomingMessage } from 'node:http';
import { StudioError } from '../../../contract/index.ts';

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

export type GuardInput = {
  method: string;
  path: string;
  host: string | undefined;
  origin: string | undefined;
  fetchSite: string | undefined;
  fetchMode: string | undefined;
  fetchDest: string | undefined;
};

export const guardInput = (request: IncomingMessage): GuardInput => {
  const one = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    method: request.method ?? 'GET',
    path: (request.url ?? '/').split('?')[0] ?? '/',
    host: request.headers.host,
    origin: request.headers.origin,
    fetchSite: one('sec-fetch-site'),
    fetchMode: one('sec-fetch-mode'),
    fetchDest: one('sec-fetch-dest'),
  };
};

/**
 * Who may speak to us on loopback: any program on this machine, and our own page; no web page the user happens to visit
 * (DESIGN section 3). A foreign name in Host is DNS rebinding; another port on localhost is `same-site` and refused; only a
 * top-level navigation to `/` may come from anywhere. Returns the refusal, or undefined.
 */
export function refusal(input: GuardInput, port: number): StudioError | undefined {
  const forbidden = (what: string): StudioError =>
    new StudioError(
      'forbidden',
      `Refused: ${what}.`,
      `Open http://127.0.0.1:${port}/ itself, or ask from a program on this computer.`,
    );
  const host = input.host?.toLowerCase() ?? '';
  if (!LOOPBACK_NAMES.some((name) => host === `${name}:${port}`))
    return forbidden('the request is not addressed to this computer');
  if (input.origin !== undefined && input.origin.toLowerCase() !== `http://${host}`)
    return forbidden('it comes from another web page');
  const site = input.fetchSite?.toLowerCase();
  if (site === undefined || site === 'none' || site === 'same-origin') return undefined;
  const topLevel =
    input.fetchMode === 'navigate' && input.fetchDest === 'document' && input.method === 'GET' && input.path === '/';
  return topLevel ? undefined : forbidden('it comes from another web page');
}
