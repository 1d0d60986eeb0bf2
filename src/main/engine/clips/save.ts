import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  StudioError,
  type Clip,
  type ClipFormat,
  type Mark,
  type SavedClip,
  type VideoCodec,
} from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { chaptersOf, ffmetadata } from './chapters.ts';
import { fileArgs, isPreview } from './formats.ts';
import { clipId } from './library.ts';
import { clipBaseName } from './names.ts';
import { probeClip, type ClipFacts } from './probe.ts';
import { publishFile, syncFile } from './publish-file.ts';
import { cancelled, diskFull, folderNotWritable, remux } from './remux.ts';
import { readHead, type WantedStart } from './stream-head.ts';
import { checkTransport, writeTransport } from './transport-file.ts';

/** A stretch of the replay ring, pinned until released. Times are Unix seconds. */
export type ReplaySnapshot = {
  epoch: number;
  codec: VideoCodec;
  sourceName: string;
  from: number;
  to: number;
  seconds: number;
  bytes: number;
  width?: number;
  height?: number;
  chunks(): Iterable<Uint8Array>;
  release(): void;
};

/** One file to make. */
export type FileJob = {
  snapshot: ReplaySnapshot;
  /** null: with the keyframe it begins with */
  start: WantedStart | null;
  format: ClipFormat;
  folder: string;
  /** asked for only where ffmpeg is needed. Errors: `ffmpeg-missing` */
  tools: () => Promise<Ffmpeg>;
  marks: readonly Mark[];
  /** Unix seconds */
  now: () => number;
  signal: AbortSignal;
  /** bytes of the stream that went into the file so far */
  onBytes: (total: number) => void;
  onWritten: () => void;
};

export type SavedFile = { clip: Clip; saved: SavedClip };

/** A clip may differ from what the index said by rounding of the container's clock and the last picture's duration. */
const TOLERANCE_SECONDS = 0.25;
/** Containers that only tell the length of the whole, sound included; encoders that repeat a picture. */
const LOOSE_TOLERANCE_SECONDS = 0.75;
const PREVIEW_DEADLINE_MS = 60_000;
export const PARTIAL_PREFIX = '.pitwall-';

/**
 * Write, fsync, verify, name. Nothing gets its final name before it was found to open, to begin with a keyframe and to be as long as
 * the index said. The snapshot stays the caller's, so that a failed file can be made again elsewhere.
 * Errors: `disk-full`, `folder-not-writable`, `ffmpeg-missing`, `not-supported`, `save-failed`, `cancelled`, `range-not-held`, `conflict`
 * (nothing at or after the wanted start).
 */
export async function saveFile(job: FileJob): Promise<SavedFile> {
  const { snapshot, folder, format } = job;
  const head = readHead(snapshot.chunks(), job.start);
  const cut = head.cut;
  if (cut === null) {
    throw new StudioError('conflict', 'There are no new pictures to save.', 'Wait for some, then save again.');
  }
  await prepareFolder(folder);
  const token = randomBytes(6).toString('hex');
  const temporary = path.join(folder, `${PARTIAL_PREFIX}${token}.${format}.part`);
  const chapters = path.join(folder, `${PARTIAL_PREFIX}${token}.chapters.part`);
  try {
    // opened here first: a folder that cannot be written to shows by its error number and not by a sentence of ffmpeg
    await (await open(temporary, 'wx')).close();
    const made = await make(job, { ...head, cut }, temporary, chapters);
    const file = await publishFile(temporary, clipBaseName(snapshot.to, snapshot.sourceName), format);
    return described(job, cut, file, made);
  } catch (thrown) {
    throw asStudioError(thrown, folder, job.signal);
  } finally {
    await Promise.all([temporary, chapters].map(async (name) => rm(name, { force: true }).catch(() => undefined)));
  }
}

type Made = {
  codec: Clip['codec'];
  seconds: number;
  bytes: number;
  sha256: string;
  width: number | undefined;
  height: number | undefined;
};

async function make(
  job: FileJob,
  head: Parameters<typeof fileArgs>[1]['head'],
  temporary: string,
  chapters: string,
): Promise<Made> {
  const { snapshot, format, signal, onBytes } = job;
  if (format === 'ts') return makeTransport(job, temporary);
  const tools = await job.tools();
  const seconds = snapshot.seconds - head.cut;
  const marks = isPreview(format)
    ? []
    : chaptersOf(job.marks, { epoch: snapshot.epoch, from: snapshot.from + head.cut, seconds });
  if (marks.length > 0) await writeFile(chapters, ffmetadata(marks, format === 'mkv' ? head.leadByDts : 0));
  const plan = { format, codec: snapshot.codec, head, seconds, chapters: marks.length > 0 ? chapters : null };
  const write = async (sound: boolean): Promise<void> =>
    remux(snapshot.chunks(), {
      ffmpeg: tools.ffmpeg,
      args: fileArgs(tools, { ...plan, sound }, temporary),
      signal,
      onBytes,
      ...(isPreview(format) ? { encodes: { deadlineMs: PREVIEW_DEADLINE_MS } } : {}),
    });
  await write(true).catch(async (thrown: unknown) => {
    if (!saysNoSound(thrown)) throw thrown;
    await write(false);
  });
  job.onWritten();
  const [facts, sha256] = await Promise.all([
    probeClip(tools, temporary, signal),
    sha256Of(temporary, signal),
    syncFile(temporary),
  ]);
  const { codec, bytes, width, height } = facts;
  // a preview may be cut short by its bound in bytes
  const length = isPreview(format) ? Math.min(seconds, facts.seconds) : seconds;
  verify(facts, length, format === 'mp4' ? TOLERANCE_SECONDS : LOOSE_TOLERANCE_SECONDS);
  return { codec, bytes, width, height, sha256, seconds: format === 'mkv' ? seconds : facts.seconds };
}

/** An epoch that has just begun announces sound of which nothing came yet; ffmpeg 5.1.9 then writes no mp4 at all (measured). */
const saysNoSound = (thrown: unknown): boolean =>
  thrown instanceof StudioError &&
  thrown.cause instanceof Error &&
  thrown.cause.message.includes('sample rate not set');

/** The stream as it is: needs no ffmpeg, and says so by checking itself where ffprobe cannot be had. */
async function makeTransport({ snapshot, tools, signal, onBytes, onWritten }: FileJob, file: string): Promise<Made> {
  const { sha256, bytes } = await writeTransport(snapshot.chunks(), file, { signal, onBytes });
  onWritten();
  const { codec, seconds, width, height } = snapshot;
  try {
    verify(await probeClip(await tools(), file, signal), seconds, LOOSE_TOLERANCE_SECONDS);
  } catch (thrown) {
    if (!(thrown instanceof StudioError && thrown.code === 'ffmpeg-missing')) throw thrown;
    const found = await checkTransport(file);
    verify(found, seconds, LOOSE_TOLERANCE_SECONDS);
    if (found.sha256 !== sha256) throw checkFailed(new Error('the file does not hold what was written to it'));
  }
  return { codec, seconds, bytes, sha256, width, height };
}

function verify(facts: Pick<ClipFacts, 'seconds' | 'startsWithKeyframe'>, seconds: number, tolerance: number): void {
  if (facts.startsWithKeyframe && Math.abs(facts.seconds - seconds) <= tolerance) return;
  throw checkFailed(
    new Error(
      `expected ${seconds} s from a keyframe, found ${facts.seconds} s, keyframe first: ${facts.startsWithKeyframe}`,
    ),
  );
}

const checkFailed = (cause: Error): StudioError =>
  new StudioError('save-failed', 'The saved clip did not pass its check.', 'The replay is kept; save again.', {
    cause,
  });

function described({ snapshot, now, format }: FileJob, cut: number, file: string, made: Made): SavedFile {
  const { codec, seconds, bytes, sha256, width, height } = made;
  const from = snapshot.from + cut;
  const saved = { id: clipId(file), path: file, seconds, bytes, sha256, from, to: snapshot.to, codec };
  return {
    saved,
    clip: {
      ...saved,
      name: path.basename(file, `.${format}`),
      createdAt: now(),
      ...(width === undefined || height === undefined ? {} : { width, height }),
      source: snapshot.sourceName,
    },
  };
}

function asStudioError(thrown: unknown, folder: string, signal: AbortSignal): StudioError {
  if (thrown instanceof StudioError) return thrown;
  if (signal.aborted) return cancelled();
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(thrown);
  if (['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EIO', 'ESTALE'].some((name) => name === code)) {
    return folderNotWritable(folder, thrown);
  }
  return new StudioError(
    'save-failed',
    'The clip could not be saved.',
    'The replay is kept; check the clips folder and save again.',
    { cause: thrown },
  );
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if (!(await stat(folder)).isDirectory()) throw new Error('not a folder');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    throw code === 'ENOSPC' || code === 'EDQUOT' ? diskFull(cause) : folderNotWritable(folder, cause);
  }
}

async function sha256Of(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const input = createReadStream(file, { highWaterMark: 1024 * 1024, signal });
  for await (const chunk of input) {
    if (chunk instanceof Buffer) hash.update(chunk);
  }
  return hash.digest('hex');
}
