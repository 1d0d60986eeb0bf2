import { describe, expect, it } from 'vitest';
import { encoderInUse, encoderProblems, type EncoderLoad } from './encoder.ts';

const good: EncoderLoad = {
  speed: 1,
  fps: 30,
  targetFps: 30,
  sourceWaited: false,
  encoder: 'x264',
  hardware: false,
  priorityRefused: true,
};
const codes = (change: Partial<EncoderLoad>): string[] =>
  encoderProblems({ ...good, ...change }).map(({ code }) => code);

describe('an encoder', () => {
  it('is fine while it keeps up, whatever its priority', () => {
    expect(codes({})).toEqual([]);
    expect(codes({ speed: null, fps: null })).toEqual([]);
  });

  it('is overloaded when it is slower than real time, and only then is its priority worth a word', () => {
    expect(codes({ speed: 0.97 })).toEqual(['encoder-overloaded', 'priority-refused']);
    expect(codes({ speed: 0.97, priorityRefused: false })).toEqual(['encoder-overloaded']);
  });

  it('is not to blame for a slow source, which never has to wait', () => {
    expect(codes({ fps: 20 })).toEqual([]);
    expect(codes({ fps: 20, sourceWaited: true, priorityRefused: false })).toEqual(['encoder-overloaded']);
    expect(codes({ fps: 30, sourceWaited: true })).toEqual([]);
  });

  it('on a graphics card is told other remedies than one on the processor', () => {
    const remedy = (hardware: boolean): string | undefined =>
      encoderProblems({ ...good, speed: 0.5, hardware })[0]?.remedy;
    expect(remedy(false)).toContain('graphics card');
    expect(remedy(true)).toContain('limit the frame rate in the game');
  });

  it('of another program is not judged', () => {
    const info = { id: 'obs-pipe', name: 'OBS', kind: 'pipe' } as const;
    expect(encoderInUse({ phase: 'running', info })).toBeUndefined();
    expect(encoderInUse({ phase: 'running', info: { ...info, encoder: 'h264_nvenc' } })).toMatchObject({
      encoder: 'NVENC H.264',
      hardware: true,
      sourceWaited: false,
    });
  });
});
