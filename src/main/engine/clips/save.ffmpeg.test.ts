import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StudioError, type Mark } from '../../../contract/index.ts';
import type { Snapshot } from '../replay/snapshot.ts';
import { joined } from '../replay/testing/stream.ts';
import { saveFile, type FileJob, type SavedFile } from './save.ts';
import { saveWherePossible, type Chances } from './second-chances.ts';
import { FPS, encodeStream, ffmpegTools, packetTimes, pictures, probed, ringWith } from './testing/media.ts';

/** One AAC frame at 48 kHz, seconds. */
const AUDIO_FRAME = 1024 / 48_000;
const FRAME = 1 / FPS;

const KINDS = ['capture', 'bframes', 'hevc'] as const;
type Kind = (typeof KINDS)[number];
const streams = new Map<Kind, Buffer>();
/** the hash of every picture of the source, per stream */
const source = new Map<Kind, string[]>();
let folder = '';

const streamOf = (kind: Kind): Buffer => streams.get(kind) ?? Buffer.alloc(0);
const sourceOf = (kind: Kind): string[] => source.get(kind) ?? [];

beforeAll(async () => {
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'pitwall-save-streams-'));
  for (const kind of KINDS) {
    const stream = await encodeStream(kind, 6);
    streams.set(kind, stream);
    const file = path.join(scratch, `${kind}.ts`);
    await writeFile(file, stream);
    const hashes = await pictures(file);
    expect(new Set(hashes).size).toBe(6 * FPS);
    source.set(kind, hashes);
  }
  await rm(scratch, { recursive: true });
}, 60_000);
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'pitwall-save-'));
});
afterEach(async () => rm(folder, { recursive: true }));

function only(snapshots: Snapshot[]): Snapshot {
  const [snapshot, more] = snapshots;
  if (!snapshot || more) throw new Error(`${snapshots.length} snapshots instead of one`);
  return snapshot;
}

const jobOf = (snapshot: Snapshot, over: Partial<FileJob> = {}): FileJob => ({
  ...{ snapshot, start: null, format: 'mp4', folder, tools: ffmpegTools, marks: [] },
  now: () => 1234,
  signal: new AbortController().signal,
  onBytes: () => undefined,
  onWritten: () => undefined,
  ...over,
});

const save = async (snapshot: Snapshot, over: Partial<FileJob> = {}): Promise<SavedFile['saved']> => {
  const { saved } = await saveFile(jobOf(snapshot, over));
  expect(
    createHash('sha256')
      .update(await readFile(saved.path))
      .digest('hex'),
  ).toBe(saved.sha256);
  expect((await readFile(saved.path)).length).toBe(saved.bytes);
  expect((await readdir(path.dirname(saved.path))).filter((name) => name.startsWith('.'))).toEqual([]);
  return saved;
};

it('of a capture that has just begun is saved although no sound came yet', async () => {
  const whole = streamOf('capture');
  // ffmpeg gives the first stream, the picture, the PID 0x100 and the sound 0x101
  const packets = Array.from({ length: whole.length / 188 }, (_, i) => whole.subarray(i * 188, i * 188 + 188));
  const silent = Buffer.concat(packets.filter((packet) => (packet.readUInt16BE(1) & 0x1fff) !== 0x101));
  const saved = await save(only(ringWith(silent).snapshot({ lastSeconds: 1 })));
  expect((await probed(saved.path)).streams.map((track) => track.codec_type)).toEqual(['video']);
});

describe.each(KINDS)('a clip of %s', (kind) => {
  it('begins at 0 with its keyframe, and holds each picture once', async () => {
    const snapshot = only(ringWith(streamOf(kind)).snapshot({ lastSeconds: 2.5 }));
    const saved = await save(snapshot);
    const shown = await pictures(saved.path);
    expect(shown).toEqual(sourceOf(kind).slice(-shown.length));
    expect(saved.seconds).toBeGreaterThanOrEqual(2.5 - 0.001);
    expect(saved.seconds).toBeLessThanOrEqual(2.5 + 1 + FRAME);
    const { streams: tracks } = await probed(saved.path);
    const video = tracks.find((track) => track.codec_type === 'video');
    expect(video?.start_time).toBe(0);
    expect(video?.codec_tag_string).toBe(kind === 'hevc' ? 'hvc1' : 'avc1');
    expect(tracks.some((track) => track.codec_name === 'aac')).toBe(true);
  });

  it('begins exactly where it is asked to', async () => {
    const snapshot = only(ringWith(streamOf(kind)).snapshot('all'));
    for (const seconds of [0, 0.4, 1, 1.37, 3.99]) {
      const saved = await save(snapshot, { start: seconds === 0 ? null : { seconds, pick: 'before' } });
      const first = Math.floor(seconds * FPS + 0.1);
      const shown = await pictures(saved.path);
      expect(shown.length, `from ${seconds}`).toBe(sourceOf(kind).length - first);
      expect(shown[0]).toBe(sourceOf(kind)[first]);
      expect(shown).toEqual(sourceOf(kind).slice(first));
      const { format, streams: tracks } = await probed(saved.path);
      expect(saved.seconds).toBeCloseTo(6 - first / FPS, 2);
      expect(Math.abs(format.duration - (6 - seconds))).toBeLessThanOrEqual(FRAME + AUDIO_FRAME);
      for (const track of tracks) expect(track.start_time).toBe(0);
      expect(saved.from).toBeCloseTo(snapshot.from + first / FPS, 3);
    }
    snapshot.release();
  });

  it('keeps sound and picture together: each sound keeps its distance to each picture', async () => {
    const snapshot = only(ringWith(streamOf(kind)).snapshot({ lastSeconds: 3.5 }));
    const asItIs = await save(snapshot, { format: 'ts' });
    const distance = async (file: string): Promise<number> => {
      const [video, audio] = await Promise.all([packetTimes(file, 'v'), packetTimes(file, 'a')]);
      // from the last picture to the last sound: nothing is cut there
      return Math.max(...video) - Math.max(...audio);
    };
    const wanted = await distance(asItIs.path);
    for (const over of [{}, { start: { seconds: 0.7, pick: 'before' } }, { format: 'mkv' }] as const) {
      const { path: file } = await save(snapshot, over);
      expect(Math.abs((await distance(file)) - wanted)).toBeLessThan(AUDIO_FRAME / 4);
    }
    snapshot.release();
  });

  it('carries marks as chapters, timed from its first picture', async () => {
    const snapshot = only(ringWith(streamOf(kind)).snapshot('all'));
    const mark = (seconds: number, label: string, epoch = snapshot.epoch): Mark => ({
      ...{ id: label, at: snapshot.from + seconds, label, epoch },
    });
    const marks = [
      mark(4, 'Crash; turn #3 = "fast"\\'),
      mark(1.5, 'Überholt 雪'),
      mark(2, 'elsewhere', 99),
      mark(6, 'End'),
    ];
    for (const over of [
      { format: 'mp4', start: null },
      { format: 'mkv', start: null },
      { format: 'mp4', start: { seconds: 1, pick: 'before' } },
    ] as const) {
      const saved = await save(snapshot, { marks, ...over });
      const cut = over.start?.seconds ?? 0;
      const { chapters } = await probed(saved.path);
      expect(chapters.map(({ tags }) => Buffer.from(tags.title, 'latin1').toString('utf8').trim())).toEqual([
        'Start',
        'Überholt 雪',
        'Crash; turn #3 = "fast"\\',
        'End',
      ]);
      // mkv has no edit lists: with B-frames its first picture lies a little after 0
      const first = Math.min(...(await packetTimes(saved.path, 'v')).filter((time) => time >= -0.0001));
      const wanted = [0, 1.5 - cut, 4 - cut, 6 - cut];
      for (const [index, chapter] of chapters.entries())
        expect(Math.abs(chapter.start_time - first - (wanted[index] ?? -1))).toBeLessThan(FRAME / 2);
      expect(await pictures(saved.path)).toHaveLength(Math.round((6 - cut) * FPS));
    }
    snapshot.release();
  });

  it('as ts is the bytes of the buffer, without ffmpeg', async () => {
    const snapshot = only(ringWith(streamOf(kind)).snapshot({ lastSeconds: 2 }));
    const missing = new StudioError('ffmpeg-missing', 'none', 'none');
    let progress = 0;
    const saved = await save(snapshot, {
      format: 'ts',
      tools: async () => Promise.reject(missing),
      onBytes: (total) => (progress = total),
    });
    expect(Buffer.compare(await readFile(saved.path), joined(snapshot.chunks()))).toBe(0);
    expect(progress).toBe(snapshot.bytes);
    expect(saved.path).toMatch(/\.ts$/);
    const shown = await pictures(saved.path);
    expect(shown).toEqual(sourceOf(kind).slice(-shown.length));
    snapshot.release();
  });

  it('as a preview is small, exact and playable', async () => {
    const snapshot = only(ringWith(streamOf(kind)).snapshot('all'));
    for (const format of ['gif', 'webm'] as const) {
      const saved = await save(snapshot, { format, start: { seconds: 3.5, pick: 'before' } });
      const { streams: tracks, format: container } = await probed(saved.path);
      const video = tracks.find((track) => track.codec_type === 'video');
      expect(video?.codec_name).toBe(format === 'gif' ? 'gif' : 'vp8');
      expect(video?.width).toBeLessThanOrEqual(480);
      expect(Math.abs(container.duration - 2.5)).toBeLessThan(0.2);
      expect((await pictures(saved.path)).length).toBeGreaterThan(30);
      if (format === 'webm') expect(tracks.some((track) => track.codec_type === 'audio')).toBe(true);
    }
    snapshot.release();
  });
});

describe('when something is wrong', () => {
  const capture = (): Snapshot => only(ringWith(streamOf('capture')).snapshot('all'));
  const chances = (over: Partial<Chances>): Chances => ({ folders: [folder], format: 'mp4', notes: [], ...over });

  it('the second folder is used, and said', async () => {
    const snapshot = capture();
    await writeFile(path.join(folder, 'file'), '');
    const [bad, good] = [path.join(folder, 'file', 'clips'), path.join(folder, 'second')];
    const tried = chances({ folders: [bad, good] });
    const { saved } = await saveWherePossible(jobOf(snapshot), tried);
    expect(path.dirname(saved.path)).toBe(good);
    expect(tried.notes).toEqual([`The clips folder could not be written to, so the clip was saved to ${good}.`]);
    expect(await pictures(saved.path)).toHaveLength(6 * FPS);
    // the next file of the same save does not try the bad one again
    expect(tried.folders).toEqual([good]);
    snapshot.release();
  });

  it('with no folder left the first trouble is told, the snapshot can be saved again', async () => {
    const snapshot = capture();
    await writeFile(path.join(folder, 'file'), '');
    const bad = [path.join(folder, 'file', 'a'), path.join(folder, 'file', 'b')];
    const failed = saveWherePossible(jobOf(snapshot), chances({ folders: bad }));
    await expect(failed).rejects.toMatchObject({ code: 'folder-not-writable' });
    await expect(failed).rejects.toThrow(bad[0]);
    const { saved } = await saveWherePossible(jobOf(snapshot), chances({}));
    expect(await pictures(saved.path)).toHaveLength(6 * FPS);
    snapshot.release();
  });

  it.each(['ffmpeg', 'ffprobe'] as const)('without %s the clip is saved as it is, and says why', async (missing) => {
    const snapshot = capture();
    const tools = { ...(await ffmpegTools()), [missing]: path.join(folder, 'not-there') };
    const tried = chances({});
    const { saved } = await saveWherePossible(jobOf(snapshot, { tools: async () => Promise.resolve(tools) }), tried);
    expect(saved.path).toMatch(/\.ts$/);
    expect(tried.notes.join()).toContain('.ts instead of .mp4');
    expect(await readFile(saved.path)).toEqual(Buffer.from(joined(snapshot.chunks())));
    expect((await readdir(folder)).length).toBe(1);
    snapshot.release();
  });

  it.each([
    ['says nothing and writes nothing', '#!/bin/sh\ncat > /dev/null\n'],
    ['ends at once', '#!/bin/sh\nexit 1\n'],
    ['writes rubbish', '#!/bin/sh\nfor last; do :; done\ncat > /dev/null; echo rubbish > "$last"\n'],
  ])('an ffmpeg that %s leaves no file behind', async (_, script) => {
    const snapshot = capture();
    const fake = path.join(folder, 'ffmpeg');
    await writeFile(fake, script);
    await chmod(fake, 0o755);
    const clips = path.join(folder, 'clips');
    const tools = { ...(await ffmpegTools()), ffmpeg: fake };
    const failed = saveFile(jobOf(snapshot, { folder: clips, tools: async () => Promise.resolve(tools) }));
    await expect(failed).rejects.toMatchObject({ code: 'save-failed' });
    expect(await readdir(clips)).toEqual([]);
    snapshot.release();
  });

  it.each(['mp4', 'ts', 'gif'] as const)('a cancelled save as %s leaves no file', async (format) => {
    const snapshot = capture();
    const abort = new AbortController();
    const clips = path.join(folder, 'clips');
    await mkdir(clips);
    const failed = saveFile(
      jobOf(snapshot, { format, folder: clips, signal: abort.signal, onBytes: () => abort.abort() }),
    );
    await expect(failed).rejects.toMatchObject({ code: 'cancelled' });
    expect(await readdir(clips)).toEqual([]);
    snapshot.release();
  });

  it('a file is never replaced, whatever its title', async () => {
    const snapshot = capture();
    const saved = await Promise.all([1, 2, 3].map(async () => saveFile(jobOf(snapshot))));
    const names = saved.map(({ clip }) => path.basename(clip.path));
    expect((await readdir(folder)).sort()).toEqual(names.sort());
    expect(new Set(names).size).toBe(3);
    snapshot.release();
  });
});

describe('the beginning of the stream', () => {
  it('across the wrap of the clock gives the same clip', async () => {
    const plain = streamOf('capture');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 170 }), async (frames) => {
        // the clock wraps after so many pictures
        const wrapped = shifted(plain, 2 ** 33 - frames * 3000 - 133_000);
        const snapshot = only(ringWith(wrapped).snapshot('all'));
        const saved = await save(snapshot, { start: { seconds: 1.2, pick: 'before' } });
        expect(await pictures(saved.path)).toEqual(sourceOf('capture').slice(36));
        snapshot.release();
      }),
      { numRuns: 4 },
    );
  }, 60_000);
});

/** The stream with all timestamps later by `ticks`, PCR included (ISO/IEC 13818-1 sections 2.4.3.5 and 2.4.3.6). */
function shifted(stream: Uint8Array, ticks: number): Uint8Array {
  const out = Uint8Array.from(stream);
  const move = (value: number): number => (value + ticks) % 2 ** 33;
  for (let p = 0; p < out.length; p += 188) {
    const control = ((out[p + 3] ?? 0) >> 4) & 3;
    const field = control & 2 ? (out[p + 4] ?? 0) : -1;
    if (field > 0 && (out[p + 5] ?? 0) & 0x10) {
      const at = p + 6;
      const base =
        (out[at] ?? 0) * 2 ** 25 +
        ((out[at + 1] ?? 0) << 17) +
        ((out[at + 2] ?? 0) << 9) +
        ((out[at + 3] ?? 0) << 1) +
        ((out[at + 4] ?? 0) >> 7);
      const moved = move(base);
      out[at] = Math.floor(moved / 2 ** 25) & 0xff;
      out[at + 1] = Math.floor(moved / 2 ** 17) & 0xff;
      out[at + 2] = Math.floor(moved / 2 ** 9) & 0xff;
      out[at + 3] = Math.floor(moved / 2) & 0xff;
      out[at + 4] = ((moved % 2) << 7) | ((out[at + 4] ?? 0) & 0x7f);
    }
    if (((out[p + 1] ?? 0) & 0x40) === 0) continue;
    const pes = p + 5 + field;
    if (out[pes] !== 0 || out[pes + 1] !== 0 || out[pes + 2] !== 1) continue;
    const flags = (out[pes + 7] ?? 0) >> 6;
    for (const at of [...(flags & 2 ? [pes + 9] : []), ...(flags === 3 ? [pes + 14] : [])]) {
      const low = ((out[at + 1] ?? 0) << 22) + (((out[at + 2] ?? 0) >> 1) << 15) + ((out[at + 3] ?? 0) << 7);
      const moved = move((((out[at] ?? 0) >> 1) & 7) * 2 ** 30 + low + ((out[at + 4] ?? 0) >> 1));
      out[at] = ((out[at] ?? 0) & 0xf0) | (Math.floor(moved / 2 ** 30) << 1) | 1;
      out[at + 1] = Math.floor(moved / 2 ** 22) & 0xff;
      out[at + 2] = ((Math.floor(moved / 2 ** 15) & 0x7f) << 1) | 1;
      out[at + 3] = Math.floor(moved / 2 ** 7) & 0xff;
      out[at + 4] = ((moved & 0x7f) << 1) | 1;
    }
  }
  return out;
}
