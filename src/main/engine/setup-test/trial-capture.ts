import { decodePreviewFrame, type FrameRate, type PictureSize, type Source } from '../../../contract/index.ts';
import { SILENCE } from '../audio/plan.ts';
import { captureArgs, outputSize } from '../capture/args.ts';
import type { GrabbingBackend } from '../capture/backend.ts';
import type { EncoderPlan } from '../encoders/plan.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { ProgressParser } from '../ffmpeg/progress.ts';
import { RateWindow } from '../health/window.ts';
import { PreviewHub } from '../preview/hub.ts';
import { startChild, within } from '../process/child.ts';
import { ReplayRing } from '../replay/ring.ts';

/** The first second of a capture is left out of its rates, two more are measured. */
const MEASURED_MS = 3300;
const FIRST_PICTURE_MS = 8000;
const READER_MS = 4000;
const STOP = { quit: 'q', quitMs: 1000, termMs: 500 } as const;

export type TrialRequest = {
  source: Source;
  backend: GrabbingBackend;
  ffmpeg: Ffmpeg;
  fps: FrameRate;
  pictureSize: PictureSize;
  encoder: (size: { width: number; height: number }) => EncoderPlan;
  /** a throw-away address of our own server; null where there is none */
  rtmpUrl: string | null;
  signal: AbortSignal;
};

export type TrialResult = {
  pictures: number;
  /** of the last two seconds */
  fps: number | null;
  speed: number | null;
  duplicated: number;
  dropped: number;
  /** age of a picture when it is handed to a viewer of the preview, ms, at most (in the median); null where the input does not tell when it was taken */
  previewAgeMs: number | null;
  /** from asking a reader of the live address to open it until it had its first picture, ms; null when it had none */
  readerMs: number | null;
  width: number;
  height: number;
  /** ffmpeg's last lines, when it ended by itself */
  ended: string | null;
};

/**
 * A capture beside the studio's own: the same command and the same source, but into a ring that is thrown away and to an address nobody knows.
 * Never rejects once the source is open. Errors: what `backend.open` says.
 */
export async function trialCapture(request: TrialRequest): Promise<TrialResult> {
  const { source, backend, ffmpeg, fps, signal, rtmpUrl } = request;
  const open = await backend.open(source, ffmpeg, () => undefined, signal);
  try {
    const size = outputSize(open.state(), request.pictureSize);
    const plan = request.encoder(size);
    const ring = new ReplayRing({ maxBytes: 64 * 1024 * 1024, maxSeconds: 10 });
    const rates = new RateWindow();
    const ages = new PictureAges();
    let pictures = 0;
    let begun: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (begun = resolve));
    new PreviewHub(ring).open({
      ready: true,
      send: (payload) => {
        pictures += 1;
        begun();
        ages.add(decodePreviewFrame(payload)?.timestampMicros ?? Number.NaN, Date.now());
      },
    });
    ring.beginEpoch({ sourceName: 'setup test' });
    const parser = new ProgressParser();
    const args = captureArgs({
      input: open.input(fps),
      filters: open.filters?.() ?? [],
      sound: SILENCE,
      // the dump of the input tells the time of day of its first picture
      encoder: { ...plan, globals: ['-loglevel', 'info', ...plan.globals] },
      output: size,
      fps,
      rtmpUrl,
      watch: false,
      timestampOffset: 0,
    });
    const child = startChild({
      name: 'ffmpeg setup test',
      command: ffmpeg.ffmpeg,
      args,
      onStdout: (chunk) => ring.write(chunk),
      onControlLine: (line) => {
        const block = parser.push(line);
        if (block) rates.add(performance.now() / 1000, block);
      },
      onStderrLine: (line) => ages.noteLine(line),
    });
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    const over = Promise.race([child.exited, aborted]);
    await within(Promise.race([first, over]), FIRST_PICTURE_MS);
    const reading = rtmpUrl === null || pictures === 0 ? null : firstPictureOf(ffmpeg.ffmpeg, rtmpUrl, signal);
    if (pictures > 0) await within(over, MEASURED_MS);
    const result = rates.read(performance.now() / 1000);
    const readerMs = reading === null ? null : await reading;
    const endedItself = !signal.aborted && (await within(child.exited, 0));
    await child.stop(STOP);
    return {
      pictures,
      fps: result.fps,
      speed: result.speed,
      duplicated: result.duplicatedRecently,
      dropped: result.droppedRecently,
      previewAgeMs: ages.atMost(1000 / fps),
      readerMs,
      ...size,
      ended: endedItself ? child.stderrTail().slice(-3).join(' / ') : null,
    };
  } finally {
    await open.release();
  }
}

/** Ages of pictures by the time of day at which a live input says that it took its first one (`start: 1732171234.1` in ffmpeg's dump). */
export class PictureAges {
  readonly #ages: number[] = [];
  #startMs: number | undefined;
  #firstMicros: number | undefined;

  noteLine(line: string): void {
    if (this.#startMs !== undefined) return;
    const start = Number(/^ *Duration: .*\bstart: (\d+\.\d+)/.exec(line)?.[1]);
    // grabbing inputs stamp with the time of day; others begin near 0 and tell nothing
    if (Math.abs(start * 1000 - Date.now()) < 60_000) this.#startMs = start * 1000;
  }

  add(micros: number, nowMs: number): void {
    this.#firstMicros ??= micros;
    if (this.#startMs === undefined || this.#ages.length > 10_000) return;
    this.#ages.push(nowMs - this.#startMs - (micros - this.#firstMicros) / 1000);
  }

  /**
   * What they are at most: the constant frame rate moves a picture by up to the time between two (measured: 25 ms at 30 fps), so that much is
   * added. Without the first second, in which the encoder catches up.
   */
  atMost(intervalMs: number): number | null {
    const settled = this.#ages.slice(Math.min(30, Math.floor(this.#ages.length / 2))).sort((a, b) => a - b);
    const middle = settled[Math.floor(settled.length / 2)];
    return middle === undefined || !Number.isFinite(middle) ? null : Math.round(Math.max(0, middle + intervalMs));
  }
}

/** Milliseconds until a reader of the live address has its first picture; null when it gets none in four seconds. */
async function firstPictureOf(ffmpeg: string, url: string, signal: AbortSignal): Promise<number | null> {
  const from = performance.now();
  const parser = new ProgressParser();
  let seen: () => void = () => undefined;
  const picture = new Promise<void>((resolve) => (seen = resolve));
  const child = startChild({
    name: 'setup test reader',
    command: ffmpeg,
    args: [
      ...['-hide_banner', '-nostats', '-loglevel', 'error', '-progress', 'pipe:3', '-stats_period', '0.05'],
      ...['-analyzeduration', '200000', '-probesize', '500000', '-i', url],
      ...['-map', '0:v:0', '-c', 'copy', '-f', 'null', '-'],
    ],
    onControlLine: (line) => {
      if ((parser.push(line)?.frame ?? 0) > 0) seen();
    },
  });
  const stop = (): void => child.kill();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const came = await within(
    Promise.race([picture, child.exited.then(async () => new Promise(() => undefined))]),
    READER_MS,
  );
  const took = performance.now() - from;
  signal.removeEventListener('abort', stop);
  child.kill();
  await child.exited;
  return came ? Math.round(took) : null;
}
