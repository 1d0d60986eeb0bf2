import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { until, within } from './wait.ts';

const ANSWER_MS = 5000;

const Message = z.object({
  request_id: z.number().optional(),
  error: z.string().optional(),
  data: z.unknown().optional(),
  event: z.string().optional(),
  reason: z.string().optional(),
});

const CacheState = z.object({
  'seekable-ranges': z.array(z.object({ start: z.number(), end: z.number() })),
  'fw-bytes': z.number().optional(),
});

/** A running mpv, driven over its JSON IPC socket. */
export interface Mpv {
  /** what it printed: warnings and errors, but for what its null audio output says of itself */
  readonly lines: readonly string[];
  /** names of the events so far, `end-file:<reason>` with its reason */
  readonly events: readonly string[];
  /** Errors: what mpv answers instead of `success`. */
  command(...words: readonly (string | number | boolean)[]): Promise<unknown>;
  number(property: string): Promise<number>;
  /** seconds of the timeline in its cache: from the first range's start to the last one's end */
  cached(): Promise<{ start: number; end: number }>;
  /** Pauses, seeks exactly and resolves with `time-pos` once the seek is done. */
  seek(seconds: number): Promise<number>;
  /** Plays on and resolves once `time-pos` is at least `seconds`. */
  plays(seconds: number, ms?: number): Promise<number>;
}

/**
 * Plays an address without window or sound, as `mpv ADDRESS` does otherwise, and closes it when the running test ends. Resolves with
 * its first picture.
 */
export async function startMpv(address: string, options: readonly string[] = []): Promise<Mpv> {
  const folder = mkdtempSync(join(tmpdir(), 'pitwall-mpv-'));
  const path = join(folder, 'ipc');
  const child = spawn(
    'mpv',
    [
      ...['--no-config', '--vo=null', '--ao=null', '--no-terminal', '--msg-level=all=warn', '--terminal=yes'],
      ...['--hr-seek=yes', `--input-ipc-server=${path}`, ...options, address],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const lines: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    createInterface(output).on('line', (line) => {
      if (!line.startsWith('[ao/null]')) lines.push(line);
    });
  }
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });

  const socket = await until('the socket of mpv', 10_000, () => opened(path));
  const events: string[] = [];
  const waiting = new Map<number, (message: z.infer<typeof Message>) => void>();
  createInterface(socket).on('line', (line) => {
    const message = Message.parse(JSON.parse(line));
    if (message.event !== undefined) {
      events.push(message.reason === undefined ? message.event : `${message.event}:${message.reason}`);
    }
    const id = message.request_id ?? 0;
    waiting.get(id)?.(message);
    waiting.delete(id);
  });

  let nextId = 1;
  const command: Mpv['command'] = async (...words) => {
    const id = nextId;
    nextId += 1;
    const answer = new Promise<z.infer<typeof Message>>((resolve) => void waiting.set(id, resolve));
    socket.write(`${JSON.stringify({ command: words, request_id: id })}\n`);
    const { error, data } = await within(`mpv to answer ${words.join(' ')}`, ANSWER_MS, answer);
    if (error !== 'success') throw new Error(`${words.join(' ')}: ${error ?? 'no answer'}; ${lines.join('; ')}`);
    return data;
  };
  const get = async (property: string): Promise<unknown> => command('get_property', property);
  const number = async (property: string): Promise<number> => z.number().parse(await get(property));
  // before its first picture it refuses to seek
  await until('mpv to play', 10_000, () => number('time-pos'), Number.isFinite);
  return {
    lines,
    events,
    command,
    number,
    async cached() {
      const { 'seekable-ranges': ranges } = CacheState.parse(await get('demuxer-cache-state'));
      const [first, last] = [ranges[0], ranges.at(-1)];
      if (!first || !last) throw new Error('nothing in the cache');
      return { start: first.start, end: last.end };
    },
    async seek(seconds) {
      const done = events.filter((event) => event === 'playback-restart').length;
      await command('set_property', 'pause', true);
      await command('seek', seconds, 'absolute', 'exact');
      await until(
        `the seek to ${seconds}`,
        10_000,
        () => events.filter((event) => event === 'playback-restart').length,
        (now) => now > done,
      );
      await until(
        `mpv to be done with the seek to ${seconds}`,
        10_000,
        () => get('seeking'),
        (seeking) => seeking === false,
      );
      return number('time-pos');
    },
    async plays(seconds, ms = 15_000) {
      await command('set_property', 'pause', false);
      return until(
        `mpv to be at ${seconds} s`,
        ms,
        () => number('time-pos'),
        (position) => position >= seconds,
      );
    },
  };
}

async function opened(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined); // mpv ended
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
