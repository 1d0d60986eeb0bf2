import { randomUUID } from 'node:crypto';
import os from 'node:os';
import {
  StudioError,
  toErrorInfo,
  type EncoderHeadroom,
  type EncoderStatus,
  type FrameRate,
  type HotkeyStatus,
  type Settings,
  type SetupReport,
  type SetupTestState,
  type Source,
} from '../../../contract/index.ts';
import type { CaptureBackend } from '../capture/backend.ts';
import { selectSource } from '../capture/select.ts';
import { encoderPlan } from '../encoders/arguments.ts';
import { kindOf } from '../encoders/table.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { Log } from '../logging/log.ts';
import { checksOf } from './checks.ts';
import { diskSpeed } from './disk-speed.ts';
import { encoderSpeed } from './encoder-speed.ts';
import { ENOUGH_HEADROOM, headrooms, recommendations, TRIED_SIZES, type TriedSize } from './recommend.ts';
import { saveReport } from './report-file.ts';
import { trialCapture, type TrialResult } from './trial-capture.ts';

export type SetupTestDeps = {
  log: Log;
  onChange: () => void;
  ffmpeg: () => Promise<Ffmpeg>;
  /** whether something is being captured, which must not be disturbed */
  capturing: () => boolean;
  settings: () => Settings;
  sources: () => Promise<readonly Source[]>;
  backendOf: (id: string) => CaptureBackend | undefined;
  encoders: {
    readonly statuses: readonly EncoderStatus[];
    testAll(): Promise<void>;
    renderNode(): Promise<string | null>;
  };
  hotkeys: () => readonly HotkeyStatus[];
  soundUnavailable: () => string | null;
  /** the RTMP server, without a stream key; null while it is down */
  rtmpServer: () => string | null;
  clipsFolder: string;
  /** where reports go */
  reportsFolder: string;
};

const DISK_MS = 2500;
/** The recommended settings are tried in a real capture; when it falls short, the next ones are, so often. */
const TRIALS = 3;
const BELOW = 0.95;

/**
 * Measures what this computer can do and recommends settings, in ten to twenty seconds. Everything it starts is apart from the studio's own capture, ring
 * and live address, and ends with it.
 */
export class SetupTest {
  readonly #deps: SetupTestDeps;
  #state: SetupTestState = { state: 'idle' };
  #running: { abort: AbortController; ended: Promise<unknown> } | undefined;

  constructor(deps: SetupTestDeps) {
    this.#deps = deps;
  }

  get state(): SetupTestState {
    return this.#state;
  }

  /** Errors: `conflict` while something is captured or the test runs already, `cancelled`, `ffmpeg-missing`. */
  async run(): Promise<SetupReport> {
    if (this.#running) {
      throw new StudioError('conflict', 'The setup test is running already.', 'Wait for its result, or cancel it.');
    }
    if (this.#deps.capturing()) {
      throw new StudioError(
        'conflict',
        'Something is being captured, and the setup test would disturb it.',
        'Stop streaming first, then test. The replay is kept.',
      );
    }
    const abort = new AbortController();
    const work = this.#measure(abort.signal);
    this.#running = { abort, ended: work.catch(() => undefined) };
    try {
      const { report, file } = await work;
      this.#set({ state: 'done', report, file });
      return report;
    } catch (thrown) {
      const error = abort.signal.aborted ? cancelled() : thrown;
      this.#set(abort.signal.aborted ? { state: 'idle' } : { state: 'failed', error: toErrorInfo(error) });
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  /** Ends a test under way; resolves when nothing of it is left. */
  async cancel(): Promise<void> {
    const running = this.#running;
    running?.abort.abort();
    await running?.ended;
  }

  async #measure(signal: AbortSignal): Promise<{ report: SetupReport; file: string }> {
    const { log, encoders } = this.#deps;
    const from = performance.now();
    this.#step('Looking for ffmpeg and encoders', 0.02);
    const ffmpeg = await this.#deps.ffmpeg();
    if (encoders.statuses.some(({ state }) => state === 'untested' || state === 'testing')) {
      await untilAborted(encoders.testAll(), signal);
    }
    const settings = this.#deps.settings();
    const measured = await this.#measureEncoders(ffmpeg, settings, signal);

    this.#step('Measuring the disk', 0.5);
    const disk = await diskSpeed(this.#deps.clipsFolder, DISK_MS, signal).catch((error: unknown) => {
      log.info({ err: error }, 'the clips folder could not be measured');
      return { error: reasonOf(error) };
    });
    signal.throwIfAborted();

    const source = await this.#source(settings);
    const rtmp = this.#rtmp(settings);
    let options = recommendations(measured, settings.codec);
    let [recommendation] = options;
    let trial: TrialResult | null = null;
    let trialError: { message: string; remedy: string } | null = null;
    for (let i = 0; i < TRIALS && recommendation && source; i++) {
      const { encoder, fps, pictureSize } = recommendation;
      this.#step(`Capturing "${source.name}" at ${pictureSize}${fps}`, 0.55 + 0.14 * i);
      try {
        trial = await this.#capture(ffmpeg, source, recommendation, rtmp.url, signal);
      } catch (thrown) {
        signal.throwIfAborted();
        const { message, remedy } = toErrorInfo(thrown);
        trialError = { message, remedy };
        break;
      }
      signal.throwIfAborted();
      log.info({ encoder, fps, pictureSize, trial }, 'setup test: trial capture');
      const keepsUp = (trial.fps ?? 0) >= BELOW * fps && (trial.speed ?? 0) >= BELOW;
      // fewer pixels in a second, not merely another encoder for as many
      const lighter = options.filter((option) => lessWork(option, { fps, pictureSize }));
      const [next] = lighter;
      if (keepsUp || trial.pictures === 0 || !next || i === TRIALS - 1) break;
      options = lighter;
      recommendation = next;
    }
    const headroom = measured.find(
      ({ encoder, fps, pictureSize }) =>
        encoder === recommendation?.encoder && fps === recommendation.fps && pictureSize === recommendation.pictureSize,
    );
    const targetFps = recommendation?.fps ?? settings.fps;
    const hotkeys = this.#deps.hotkeys();
    const report: SetupReport = {
      version: 1,
      at: Date.now() / 1000,
      seconds: Math.round((performance.now() - from) / 100) / 10,
      machine: {
        platform: `${os.platform()} ${os.release()}`,
        cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
        cores: os.availableParallelism(),
        memoryMb: Math.round(os.totalmem() / 1024 / 1024),
        ffmpeg: ffmpeg.version,
      },
      source: source?.name ?? 'nothing',
      captureFps: trial?.fps ?? null,
      targetFps: recommendation ? targetFps : null,
      speed: trial?.speed ?? null,
      previewAgeMs: trial?.previewAgeMs ?? null,
      audioOffsetMs: null,
      diskMbPerSecond: typeof disk === 'number' ? disk : null,
      hotkey: hotkeys.some(({ state }) => state !== 'off')
        ? hotkeys.every(({ state }) => state !== 'unavailable')
        : null,
      encoders: measured,
      checks: checksOf({
        sourceName: source?.name ?? 'nothing',
        targetFps,
        trial,
        trialError,
        recommendation: recommendation ?? null,
        headroom: headroom?.headroom ?? null,
        disk,
        hotkeys,
        soundUnavailable: this.#deps.soundUnavailable(),
        rtmpSkipped: rtmp.skipped,
      }),
      recommendation: recommendation ?? null,
    };
    const file = await saveReport(this.#deps.reportsFolder, report).catch((error: unknown) => {
      log.warn({ err: error }, 'the report of the setup test could not be kept');
      return '';
    });
    return { report, file };
  }

  /** Each working encoder at 1080p and 720p, one at a time; at 480p only where nothing larger has room. */
  async #measureEncoders(ffmpeg: Ffmpeg, settings: Settings, signal: AbortSignal): Promise<EncoderHeadroom[]> {
    const { encoders } = this.#deps;
    const renderNode = await encoders.renderNode();
    const rates: FrameRate[] = settings.fps === 120 ? [30, 60, 120] : [30, 60];
    const working = encoders.statuses.filter(({ id, state }) => state === 'works' && ffmpeg.encoders.has(id));
    const measured: EncoderHeadroom[] = [];
    const measure = async (sizes: readonly TriedSize[], share: number): Promise<void> => {
      const all = sizes.flatMap((size) => working.map(({ id }) => ({ id, size })));
      for (const [i, { id, size }] of all.entries()) {
        this.#step(`Measuring ${id} at ${size}`, share + (0.35 * i) / all.length);
        const speed = await encoderSpeed({
          ffmpeg: ffmpeg.ffmpeg,
          encoder: id,
          size: TRIED_SIZES[size],
          renderNode,
          signal,
        });
        signal.throwIfAborted();
        if (speed !== undefined) measured.push(...headrooms(id, size, speed, rates));
      }
    };
    await measure(['1080p', '720p'], 0.1);
    const enough = measured.some(({ codec, headroom }) => codec === settings.codec && headroom >= ENOUGH_HEADROOM);
    if (!enough) await measure(['480p'], 0.45);
    return measured;
  }

  async #capture(
    ffmpeg: Ffmpeg,
    source: Source,
    {
      encoder,
      fps,
      pictureSize,
    }: { encoder: EncoderHeadroom['encoder']; fps: FrameRate; pictureSize: Settings['pictureSize'] },
    rtmpUrl: string | null,
    signal: AbortSignal,
  ): Promise<TrialResult> {
    const backend = this.#deps.backendOf(source.id);
    if (!backend || 'receive' in backend) throw new Error('the source is not grabbed by us');
    const renderNode = await this.#deps.encoders.renderNode();
    return trialCapture({
      source,
      backend,
      ffmpeg,
      fps,
      pictureSize,
      encoder: (size) => encoderPlan(encoder, { fps, quality: 'performance', bitrateKbps: null, ...size, renderNode }),
      // FLV of every ffmpeg carries H.264 only
      rtmpUrl: kindOf(encoder).codec === 'h264' ? rtmpUrl : null,
      signal,
    });
  }

  /** What was captured last where it is there, else what looks like a game, else a screen, else the test pattern. */
  async #source({ lastSource }: Settings): Promise<Source | undefined> {
    const sources = (await this.#deps.sources()).filter(({ id, available }) => {
      const backend = this.#deps.backendOf(id);
      return available && backend !== undefined && !('receive' in backend);
    });
    return (
      (lastSource === null ? undefined : findSource(lastSource, sources)) ??
      sources.find(({ suggested }) => suggested) ??
      sources.find(({ kind }) => kind === 'screen') ??
      sources.find(({ kind }) => kind === 'test-pattern')
    );
  }

  /** A key of its own that nobody knows, so that no reader of the live address sees the test. */
  #rtmp({ publishKey, playKey, codec }: Settings): { url: string | null; skipped: string | null } {
    const server = this.#deps.rtmpServer();
    if (codec !== 'h264') return { url: null, skipped: 'Not tried with HEVC, which few readers of RTMP understand.' };
    if (publishKey !== '' || playKey !== '')
      return { url: null, skipped: 'Not tried, because the live address has a key.' };
    if (server === null) return { url: null, skipped: 'The live address is down, which the health says as well.' };
    return { url: `${server}/setup-test-${randomUUID()}`, skipped: null };
  }

  #step(step: string, progress: number): void {
    this.#set({ state: 'running', step, progress });
  }

  #set(state: SetupTestState): void {
    this.#state = state;
    this.#deps.onChange();
  }
}

function findSource(selector: string, sources: readonly Source[]): Source | undefined {
  try {
    return selectSource(selector, sources);
  } catch {
    return undefined; // it is not there now
  }
}

const LINES: Record<Settings['pictureSize'], number> = { source: 4320, '1080p': 1080, '720p': 720, '480p': 480 };

const lessWork = (
  a: { fps: FrameRate; pictureSize: Settings['pictureSize'] },
  b: { fps: FrameRate; pictureSize: Settings['pictureSize'] },
): boolean => LINES[a.pictureSize] ** 2 * a.fps < LINES[b.pictureSize] ** 2 * b.fps;

const cancelled = (): StudioError =>
  new StudioError('cancelled', 'The setup test was cancelled.', 'Start it again when you want it.');

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error
    ? String(error.code)
    : error instanceof Error
      ? error.message
      : String(error);

/** Errors: the signal's reason as soon as it aborts; `work` then goes on by itself. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(cancelled()), { once: true });
  });
  signal.throwIfAborted();
  await Promise.race([work, aborted]);
}
