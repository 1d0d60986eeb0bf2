import { mkdirSync, renameSync, statSync, openSync, writeSync, closeSync } from 'node:fs';
import path from 'node:path';
import { pino, multistream, type Logger } from 'pino';
import { z } from 'zod';

export type Log = Logger;

const MAX_FILE_BYTES = 5 * 1024 * 1024;
const RING_LINES = 500;

const LEVELS = new Map([
  [10, 'TRACE'],
  [20, 'DEBUG'],
  [30, 'INFO'],
  [40, 'WARN'],
  [50, 'ERROR'],
  [60, 'FATAL'],
]);

const Entry = z.looseObject({
  level: z.number(),
  time: z.string(),
  msg: z.string().default(''),
  part: z.string().optional(),
});

/**
 * One pino record as a line for people: `2026-11-20T18:03:12.345Z ERROR capture: message {"more":1}`.
 * Text that is not a record is passed on unchanged.
 */
function formatLine(json: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return json;
  }
  const entry = Entry.safeParse(parsed);
  if (!entry.success) return json;
  const { level, time, msg, part, ...rest } = entry.data;
  const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
  return `${time} ${LEVELS.get(level) ?? level} ${part ? `${part}: ` : ''}${msg}${more}`;
}

/** A log file that is moved to `NAME.1` when it grows past 5 MB; a full or missing disk never stops the studio. */
function rotatingFile(file: string): { write(line: string): void; close(): void } {
  let descriptor: number | undefined;
  let bytes = 0;
  const open = (): void => {
    descriptor = openSync(file, 'a', 0o600);
    bytes = statSync(file).size;
  };
  return {
    write(line) {
      try {
        if (descriptor === undefined) open();
        if (bytes > MAX_FILE_BYTES && descriptor !== undefined) {
          closeSync(descriptor);
          renameSync(file, `${file}.1`);
          open();
        }
        if (descriptor !== undefined) bytes += writeSync(descriptor, line);
      } catch {
        // the log is the last place that could report this; stderr still has the line
        descriptor = undefined;
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** A closed terminal answers EIO to every line: reporting that to the log would go round for ever. */
const ignore = (): void => undefined;

export type LogOptions = { folder: string | null; stderr: boolean; level?: string };
export type Logging = { log: Log; recentLines(): readonly string[]; close(): void };

/**
 * The studio's log: a file (debug and up), stderr (info and up) and the newest lines in memory.
 * Stream keys and tokens are redacted by name.
 */
export function createLogging({ folder, stderr, level = 'debug' }: LogOptions): Logging {
  const recent: string[] = [];
  const streams: { level: 'debug' | 'info'; stream: { write(line: string): void } }[] = [
    {
      level: 'info',
      stream: {
        write(line) {
          recent.push(formatLine(line).trimEnd());
          if (recent.length > RING_LINES) recent.splice(0, recent.length - RING_LINES);
        },
      },
    },
  ];
  if (stderr) {
    process.stderr.off('error', ignore).on('error', ignore);
    streams.push({
      level: 'info',
      stream: { write: (line) => process.stderr.write(`${formatLine(line).trimEnd()}\n`) },
    });
  }
  let file: ReturnType<typeof rotatingFile> | undefined;
  if (folder !== null) {
    mkdirSync(folder, { recursive: true });
    file = rotatingFile(path.join(folder, 'pitwall.log'));
    streams.push({ level: 'debug', stream: { write: (line) => file?.write(`${formatLine(line).trimEnd()}\n`) } });
  }
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {},
      redact: ['token', 'publishKey', 'playKey', '*.token', '*.publishKey', '*.playKey'],
      serializers: { err: pino.stdSerializers.errWithCause },
    },
    multistream(streams),
  );
  return { log, recentLines: () => recent, close: () => file?.close() };
}
