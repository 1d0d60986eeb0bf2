import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { StudioError } from '../../../contract/errors.ts';
import type { Log } from '../logging/log.ts';
import { runToEnd } from '../process/child.ts';

/** An ffmpeg that was run, and what it said it can do. */
export type Ffmpeg = {
  ffmpeg: string;
  ffprobe: string;
  version: string;
  devices: ReadonlySet<string>;
  encoders: ReadonlySet<string>;
};

const exe = process.platform === 'win32' ? '.exe' : '';
const PROBE_MS = 10_000;

const isExecutable = async (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );

async function onPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(path.delimiter)) {
    if (!path.isAbsolute(folder)) continue;
    const file = path.join(folder, name + exe);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

/** ffmpeg-static is optional and its default export may name a file that does not exist (its download can fail). */
async function staticFfmpeg(): Promise<string | undefined> {
  const name = 'ffmpeg-static';
  try {
    const loaded: unknown = await import(/* @vite-ignore */ name);
    const file = typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined;
    return typeof file === 'string' && (await isExecutable(file)) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** First words of the lines of `-devices`: ` D  x11grab   X11 screen capture, using XCB` (captured from ffmpeg 5.1.9). */
export function parseDevices(text: string): Set<string> {
  const names = new Set<string>();
  for (const line of text.split('\n')) {
    const match = /^\s(?:D|\s)(?:E|\s)d?\s+([\w,]+)/.exec(line);
    for (const name of match?.[1]?.split(',') ?? []) names.add(name);
  }
  return names;
}

/** Names in `-encoders`: ` V....D libx264   libx264 H.264 / AVC …`. */
export function parseEncoders(text: string): Set<string> {
  const names = new Set<string>();
  for (const line of text.split('\n')) {
    const match = /^\s[VAS][.FSXBD]{5}\s+(\S+)/.exec(line);
    if (match?.[1] !== undefined && match[1] !== '=') names.add(match[1]);
  }
  return names;
}

async function probe(ffmpeg: string, ffprobe: string): Promise<Ffmpeg> {
  const ask = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runToEnd(ffmpeg, ['-hide_banner', ...args], { timeoutMs: PROBE_MS });
    if (code !== 0)
      throw new Error(
        `${path.basename(ffmpeg)} ${args.join(' ')} ended with ${String(code)}: ${stderr.slice(-2).join(' ')}`,
      );
    return stdout.toString('utf8');
  };
  const [version, devices, encoders] = await Promise.all([ask('-version'), ask('-devices'), ask('-encoders')]);
  return {
    ffmpeg,
    ffprobe,
    version: /^ffmpeg version (\S+)/.exec(version)?.[1] ?? 'unknown',
    devices: parseDevices(devices),
    encoders: parseEncoders(encoders),
  };
}

/**
 * Finds an ffmpeg that runs: `FFMPEG_PATH`, then the system's and ffmpeg-static's (the system's first on Linux, where the
 * static build has no x11grab). Errors: `ffmpeg-missing` when none runs.
 */
export async function locateFfmpeg(env: NodeJS.ProcessEnv, log: Log): Promise<Ffmpeg> {
  const system = await onPath('ffmpeg', env);
  const bundled = await staticFfmpeg();
  const ordered = process.platform === 'linux' ? [system, bundled] : [bundled, system];
  const ffprobeOnPath = await onPath('ffprobe', env);
  const causes: unknown[] = [];
  for (const candidate of [env['FFMPEG_PATH'], ...ordered]) {
    if (candidate === undefined || candidate === '') continue;
    const beside = path.join(path.dirname(candidate), `ffprobe${exe}`);
    const ffprobe = (await isExecutable(beside)) ? beside : ffprobeOnPath;
    if (ffprobe === undefined) {
      causes.push(new Error(`no ffprobe beside ${candidate} or on the PATH`));
      continue;
    }
    try {
      const found = await probe(candidate, ffprobe);
      log.info({ version: found.version, path: found.ffmpeg }, 'ffmpeg found');
      return found;
    } catch (cause) {
      log.warn({ err: cause, path: candidate }, 'this ffmpeg does not run');
      causes.push(cause);
    }
  }
  throw new StudioError(
    'ffmpeg-missing',
    'ffmpeg was not found, so nothing can be captured or saved.',
    'Install ffmpeg (on Debian: apt-get install ffmpeg), or set FFMPEG_PATH to it, then press Start again.',
    { cause: new AggregateError(causes) },
  );
}
