import { spawn } from 'node:child_process';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { FfmpegTools } from '../ffmpeg/tools.ts';
import { ReplayRing } from '../replay/ring.ts';
import { LiveTranscode } from './live-transcode.ts';

/** HEVC at real time, a keyframe a second, no B-frames, so that the n-th picture in is the n-th out. */
const SENDER = [
  ...['-nostdin', '-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30', '-pix_fmt', 'yuv420p'],
  ...['-c:v', 'libx265', '-preset', 'ultrafast', '-tune', 'zerolatency'],
  ...['-x265-params', 'log-level=error:keyint=30:bframes=0:scenecut=0', '-flush_packets', '1'],
  ...['-omit_video_pes_length', '0', '-f', 'mpegts', 'pipe:1'],
];

test('every picture comes out once, in H.264, soon after it went in; nothing comes after the end', async () => {
  const log = pino({ level: 'silent' });
  const ring = new ReplayRing({ maxBytes: 64 * 1024 * 1024, maxSeconds: 60 });
  const sender = spawn('ffmpeg', SENDER, { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void sender.kill('SIGKILL'));
  sender.stdout.on('data', (chunk: Buffer) => ring.write(chunk));
  const wentIn: number[] = [];
  const cameOut: { at: number; codec: string; width: number | undefined }[] = [];
  const troubles: unknown[] = [];
  await new Promise<void>((resolve) => {
    const stop = ring.onAccessUnit(() => {
      stop();
      resolve();
    });
  });
  wentIn.push(performance.now());
  ring.onAccessUnit(() => void wentIn.push(performance.now()));
  const enough = new Promise<void>((resolve) => {
    const live = new LiveTranscode({
      ...{ ring, log, tools: new FfmpegTools(process.env, log, () => undefined) },
      onPicture: ({ codec, width }) => {
        cameOut.push({ at: performance.now(), codec, width });
        if (cameOut.length === 120) void live.close().then(resolve);
      },
      onTrouble: (why) => why && troubles.push(why),
    });
  });
  await enough;
  expect(cameOut).toHaveLength(120);
  expect(troubles).toEqual([]);
  expect(cameOut.every(({ codec, width }) => codec === 'h264' && width === 640)).toBe(true);
  const delays = cameOut
    .slice(60)
    .map(({ at }, index) => at - (wentIn[index + 60] ?? Number.NaN))
    .sort((a, b) => a - b);
  const [median = Number.NaN, p95 = Number.NaN] = [delays[30], delays[57]];
  process.stdout.write(`measured: transcode delay median ${median.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms\n`);
  expect(median).toBeGreaterThan(0);
  // a shared computer is slow at times; without the low-delay flags it is seconds
  expect(median).toBeLessThan(500);
});
