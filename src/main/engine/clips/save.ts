import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { StudioError, type Clip, type SaveAnswer, type VideoCodec } from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { clipId } from './library.ts';
import { clipBaseName } from './names.ts';
import { probeClip } from './probe.ts';
import { publishFile, syncFile } from './publish-file.ts';
import { diskFull, remux } from './remux.ts';

/** A stretch of the replay ring, pinned until released. Times are Unix seconds. */
export type ReplaySnapshot = {
  codec: VideoCodec;
  sourceName: string;
  from: number;
  to: number;
  seconds: number;
  chunks(): Iterable<Uint8Array>;
  release(): void;
};

export type SaveJobOptions = {
  tools: Ffmpeg;
  folder: string;
  /** oldest first; released by this function */
  snapshots: readonly ReplaySnapshot[];
  askedSeconds: number;
  /** Unix seconds */
  now: () => number;
  signal: AbortSignal;
};

/** A clip may differ from what the index said by rounding of the container's clock and the last picture's duration. */
const TOLERANCE_SECONDS = 0.25;
export const PARTIAL_PREFIX = '.pitwall-';

/**
 * Snapshot, stream copy, fsync, verify, name: for each epoch one clip. Nothing gets its final name before ffprobe opened it,
 * found a keyframe first and the length right. Errors as `remux`, and `folder-not-writable`; clips already finished stay.
 */
export async function saveClips(options: SaveJobOptions): Promise<{ answer: SaveAnswer; clips: Clip[] }> {
  const { snapshots, askedSeconds } = options;
  const clips: (Clip & { sha256: string; from: number; to: number })[] = [];
  try {
    await prepareFolder(options.folder);
    for (const snapshot of snapshots) clips.push(await saveOne(snapshot, options));
  } finally {
    for (const snapshot of snapshots) snapshot.release();
  }
  const seconds = clips.reduce((sum, clip) => sum + clip.seconds, 0);
  return {
    clips,
    answer: {
      clips: clips.map(({ id, path: file, seconds: length, bytes, sha256, from, to, codec }) => ({
        id,
        path: file,
        seconds: length,
        bytes,
        sha256,
        from,
        to,
        codec,
      })),
      askedSeconds,
      seconds,
      ...(seconds < askedSeconds - 0.001 ? { reason: `Only ${seconds.toFixed(1)} s were in the buffer.` } : {}),
    },
  };
}

async function saveOne(
  snapshot: ReplaySnapshot,
  { tools, folder, now, signal }: SaveJobOptions,
): Promise<Clip & { sha256: string; from: number; to: number }> {
  const temporary = path.join(folder, `${PARTIAL_PREFIX}${randomBytes(6).toString('hex')}.mp4.part`);
  try {
    await remux(tools, snapshot.chunks(), snapshot.codec, temporary, signal);
    snapshot.release(); // the bytes are in the file: give the ring its slabs back before the slow part
    await syncFile(temporary);
    const [facts, sha256] = await Promise.all([probeClip(tools, temporary, signal), sha256Of(temporary, signal)]);
    if (!facts.startsWithKeyframe || Math.abs(facts.seconds - snapshot.seconds) > TOLERANCE_SECONDS) {
      throw new StudioError(
        'save-failed',
        'The saved clip did not pass its check.',
        'The replay is kept; save again.',
        {
          cause: new Error(
            `expected ${snapshot.seconds} s from a keyframe, found ${facts.seconds} s, keyframe first: ${facts.startsWithKeyframe}`,
          ),
        },
      );
    }
    const file = await publishFile(temporary, clipBaseName(snapshot.to, snapshot.sourceName), 'mp4');
    return {
      id: clipId(file),
      path: file,
      name: path.basename(file, '.mp4'),
      seconds: facts.seconds,
      bytes: facts.bytes,
      codec: facts.codec,
      createdAt: now(),
      width: facts.width,
      height: facts.height,
      source: snapshot.sourceName,
      sha256,
      from: snapshot.from,
      to: snapshot.to,
    };
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (thrown instanceof StudioError) throw thrown;
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw diskFull(thrown);
    throw new StudioError(
      'save-failed',
      'The clip could not be saved.',
      'The replay is kept; check the clips folder and save again.',
      { cause: thrown },
    );
  }
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if (!(await stat(folder)).isDirectory()) throw new Error('not a folder');
  } catch (cause) {
    throw new StudioError(
      'folder-not-writable',
      `The clips folder ${folder} cannot be used.`,
      'Choose another one with --clips, or change its permissions; the replay is kept.',
      { cause },
    );
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
