import { parseArgs } from 'node:util';
import { z } from 'zod';
import { Settings, SourceSelector } from '../contract/index.ts';

export const HELP = `Pitwall: pick the game window, stream it, watch it live, save the replay.

  npm start -- [flags]

  --headless            no window, no browser; prints one JSON line when ready
  --no-open             do not open the browser
  --port N              port of the studio (default 1688, 0 for any free one)
  --rtmp-port N         port of the live stream (default 1935, 0 for any free one)
  --data DIR            folder for settings and logs
  --clips DIR           folder for saved clips
  --source ID           what to capture: test-pattern, screen:N, region:X,Y,WxH, window:TITLE, obs-pipe,
                        or an id from /api/sources
  --start               start capturing --source at once
  --replay-seconds N    length of the replay buffer, 5 to 7200
  --replay-mb N         memory of the replay buffer, 16 to 65536
  --setup-test          measure what this computer can do (about ten seconds), say what to set, and end:
                        0 when it works, 1 when something failed
  --json                with --setup-test: the report as one JSON document on stdout
  --no-install          install nothing
  --help, --version
`;

const OPTIONS = {
  headless: { type: 'boolean' },
  'no-open': { type: 'boolean' },
  port: { type: 'string' },
  'rtmp-port': { type: 'string' },
  data: { type: 'string' },
  clips: { type: 'string' },
  source: { type: 'string' },
  start: { type: 'boolean' },
  'replay-seconds': { type: 'string' },
  'replay-mb': { type: 'string' },
  'setup-test': { type: 'boolean' },
  json: { type: 'boolean' },
  'no-install': { type: 'boolean' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

/** What the command line asked for; defaults filled in, everything validated. */
export type Flags = {
  headless: boolean;
  open: boolean;
  port: number;
  rtmpPort: number;
  data: string | undefined;
  clips: string | undefined;
  source: string | undefined;
  start: boolean;
  replaySeconds: number | undefined;
  replayMegabytes: number | undefined;
  /** measure, report and end, without a window */
  setupTest: boolean;
  /** the report as JSON */
  json: boolean;
};

export type CommandLine = { run: Flags } | { print: 'help' | 'version' } | { usage: string };

class UsageError extends Error {}

function numberFlag<T>(name: string, text: string | undefined, schema: z.ZodType<T>, range: string): T | undefined {
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(/^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) : undefined);
  if (!parsed.success) throw new UsageError(`--${name} must be ${range}, not "${text}".`);
  return parsed.data;
}

const textFlag = (name: string, text: string | undefined): string | undefined => {
  if (text?.trim() === '') throw new UsageError(`--${name} needs a value.`);
  return text;
};

/** Parses the studio's flags (DESIGN section 3). Pure; bad usage is a sentence, for exit code 2. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false });
    if (values.help === true) return { print: 'help' };
    if (values.version === true) return { print: 'version' };
    const setupTest = values['setup-test'] ?? false;
    if (values.json === true && !setupTest) throw new UsageError('--json goes with --setup-test.');
    if (values.start === true && setupTest) throw new UsageError('--start and --setup-test do not go together.');
    const Port = z.int().min(0).max(65_535);
    const source = textFlag('source', values.source);
    if (source !== undefined && !SourceSelector.safeParse(source).success)
      throw new UsageError('--source is too long.');
    if (values.start === true && source === undefined) {
      throw new UsageError('--start needs --source, for example --source test-pattern.');
    }
    return {
      run: {
        headless: (values.headless ?? false) || setupTest,
        open: !(values['no-open'] ?? false),
        port: numberFlag('port', values.port, Port, 'a port from 0 to 65535') ?? (setupTest ? 0 : 1688),
        rtmpPort:
          numberFlag('rtmp-port', values['rtmp-port'], Port, 'a port from 0 to 65535') ?? (setupTest ? 0 : 1935),
        data: textFlag('data', values.data),
        clips: textFlag('clips', values.clips),
        source,
        start: values.start ?? false,
        replaySeconds: numberFlag(
          'replay-seconds',
          values['replay-seconds'],
          Settings.shape.replaySeconds,
          'a number of seconds from 5 to 7200',
        ),
        replayMegabytes: numberFlag(
          'replay-mb',
          values['replay-mb'],
          Settings.shape.replayMegabytes,
          'a whole number of megabytes from 16 to 65536',
        ),
        setupTest,
        json: values.json ?? false,
      },
    };
  } catch (error) {
    if (error instanceof UsageError) return { usage: error.message };
    // parseArgs names the flag in its first sentence and adds advice about positionals after it
    const reason = error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error);
    return { usage: `${reason.replace(/\.$/, '')}.` };
  }
}
