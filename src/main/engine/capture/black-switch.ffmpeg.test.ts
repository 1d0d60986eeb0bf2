import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../test/support/wait.ts';
import type { Source } from '../../../contract/index.ts';
import { EncoderLine } from '../encoders/line.ts';
import { PictureHealth } from '../health/picture-health.ts';
import { testPatternInput } from './args.ts';
import type { GrabbingBackend } from './backend.ts';
import { CaptureSession } from './session.ts';

const log = pino({ enabled: false });
const SIZE = { width: 320, height: 180 };
const SOURCE: Source = { id: 'window:1', kind: 'window', name: 'Game', ...SIZE, suggested: true, available: true };
const BLACK = ['-re', '-f', 'lavfi', '-i', 'color=c=black:size=320x180:rate=30'];
const WISH = { encoder: 'auto', codec: 'h264', quality: 'performance', bitrateKbps: null, fps: 30 } as const;
const clock = (): number => performance.now() / 1000;

/** A source that can be captured in the given ways, each a real ffmpeg input. */
function sourceOf(ways: readonly { method: string; input: readonly string[]; caution?: string }[]): GrabbingBackend {
  return {
    name: 'double',
    list: async () => Promise.resolve([SOURCE]),
    owns: () => true,
    open: async () => {
      let at = 0;
      return Promise.resolve({
        ...{ id: SOURCE.id, kind: SOURCE.kind, name: SOURCE.name },
        state: () => ({ ...SIZE, hidden: false, gone: false }),
        get method() {
          return ways[at]?.method ?? '';
        },
        input: () => ways[at]?.input ?? [],
        nextMethod: () => {
          const next = ways[at + 1];
          if (next) at++;
          return next;
        },
        release: async () => Promise.resolve(),
      });
    },
    onChanged: () => undefined,
    thumbnailInput: () => undefined,
    close: async () => Promise.resolve(),
  };
}

function capture(backend: GrabbingBackend): { notices: string[]; methods: string[] } {
  const notices: string[] = [];
  const methods: string[] = [];
  const pictures = new PictureHealth({ platform: 'linux', clock, onChange: () => undefined, log });
  let method = (): string => '';
  const session: CaptureSession = new CaptureSession(
    { source: SOURCE, pictureSize: 'source', encoders: new EncoderLine(WISH, ['libx264'], null) },
    {
      ring: {
        beginEpoch: () => void methods.push(method()),
        write: () => session.notePicture(),
        endInput: () => undefined,
        counters: { resyncs: 0, lostRuns: 0, badPackets: 0, crcErrors: 0 },
      },
      log,
      clock,
      now: () => Date.now() / 1000,
      onProgress: () => undefined,
      onRestart: () => undefined,
      onChange: () => undefined,
      onRecovered: (message) => void notices.push(message),
      ffmpeg: { ffmpeg: 'ffmpeg', ffprobe: 'ffprobe', version: '', devices: new Set(), encoders: new Set() },
      backend: {
        ...backend,
        open: async (...asked) => {
          const open = await backend.open(...asked);
          method = () => open.method;
          return open;
        },
      },
      rtmpUrl: () => null,
      watchPictures: pictures,
    },
  );
  onTestFinished(async () => session.stop());
  return { notices, methods };
}

describe('black from the very start', () => {
  it('is captured the next way, which is told once with what must be known of it', { timeout: 40_000 }, async () => {
    const { notices, methods } = capture(
      sourceOf([
        { method: 'first', input: BLACK },
        { method: 'second', input: testPatternInput(SIZE, 30), caution: 'Windows above it are seen too.' },
      ]),
    );
    await until('the other way', 15_000, () => notices.length > 0);
    expect(notices).toEqual([
      'Nothing but black came, so "Game" is captured another way now. Windows above it are seen too.',
    ]);
    expect(methods).toEqual(['first', 'second']);
  });

  it('in every way, as a game that loads is, ends at the first one again, for good', { timeout: 60_000 }, async () => {
    const { methods } = capture(
      sourceOf([
        { method: 'first', input: BLACK },
        { method: 'second', input: BLACK },
      ]),
    );
    await until('the first way again', 30_000, () => methods.length >= 3);
    expect(methods).toEqual(['first', 'second', 'first']);
  });
});
