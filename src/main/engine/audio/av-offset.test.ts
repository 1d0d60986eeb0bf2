import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { PointParser, measureAvOffset, offsetOf, onsets } from './av-offset.ts';

describe('sound and picture', () => {
  it('have their onsets where a value leaves what is usual', () => {
    const points = [10, 12, 11, 200, 210, 12, 10, 11, 90, 10].map((value, i) => ({ at: i / 10, value }));
    expect(onsets(points, 40)).toEqual([0.3, 0.8]);
    expect(onsets([], 40)).toEqual([]);
  });

  it('are compared flash by flash; what has no counterpart counts for nothing', () => {
    expect(offsetOf([1, 2, 3, 9], [1.03, 2.05, 3.04, 5])).toEqual({ offsetMs: 40, pairs: 3 });
    expect(offsetOf([1], [])).toBeUndefined();
  });

  it('are read from lines of ffmpeg 5.1.9, digital silence too', () => {
    const parser = new PointParser();
    for (const line of [
      'frame:0    pts:3600    pts_time:0.04',
      'lavfi.signalstats.YAVG=16.5',
      'frame:1    pts:96      pts_time:0.002',
      'lavfi.astats.Overall.RMS_level=-inf',
    ]) {
      parser.push(line);
    }
    expect(parser.points).toEqual([
      { at: 0.04, value: 16.5 },
      { at: 0.002, value: -100 },
    ]);
  });

  it.each([0, 120, -80])('of a recording whose sound is %i ms late', async (ms) => {
    const beep = `aevalsrc='if(gte(t,0.5)*lt(mod(t-${0.5 + ms / 1000},1),0.1),0.5*sin(6283*t),0)':sample_rate=48000:duration=4`;
    const flash = "color=black:size=160x90:rate=50:duration=4,drawbox=c=white:t=fill:enable='lt(mod(t+0.5,1),0.1)'";
    const recording = execFileSync(
      'ffmpeg',
      [
        ...['-v', 'error', '-f', 'lavfi', '-i', flash, '-f', 'lavfi', '-i', beep],
        ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-f', 'mpegts', 'pipe:1'],
      ],
      { maxBuffer: 64e6 },
    );
    const found = await measureAvOffset('ffmpeg', recording, new AbortController().signal);
    expect(found?.pairs).toBeGreaterThanOrEqual(3);
    expect(Math.abs((found?.offsetMs ?? 1000) - ms)).toBeLessThan(12);
  });
});
