import {
  StudioError,
  type CaptureInfo,
  type EncoderId,
  type ErrorInfo,
  type PictureSize,
  type Problem,
  type Source,
  type SourceKind,
  type StartCapture,
} from '../../../contract/index.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { ProgressParser, type ProgressBlock } from '../ffmpeg/progress.ts';
import type { Log } from '../logging/log.ts';
import type { AccessUnit } from '../replay/accessUnit.ts';
import { Backoff, pause } from '../process/backoff.ts';
import { startChild, within, type Child, type ChildExit } from '../process/child.ts';
import { SILENCE, type SoundPlan } from '../audio/plan.ts';
import type { EncoderLine } from '../encoders/line.ts';
import { encoderName, kindOf } from '../encoders/table.ts';
import { flvCarriesHevc } from '../ffmpeg/version.ts';
import { describePriority, raise, type Raised } from '../process/priority.ts';
import { hevcNotCarried } from '../rtmp/not-carried.ts';
import { pictureSplitter } from './watch-pictures.ts';
import { captureArgs, outputSize, type Size } from './args.ts';
import type { GrabbingBackend, NextMethod, OpenSource, SourceEvent } from './backend.ts';
import { withoutToken } from '../rtmp/redact.ts';
import { classifyExit } from './classify.ts';
import type { SessionFacts } from './status.ts';

/** The part of the replay ring a capture writes to. */
export type RingInput = {
  beginEpoch(info: { sourceName: string }): void;
  write(chunk: Uint8Array): void;
  endInput(): void;
  /** what was wrong with the bytes, counted since the ring was made */
  readonly counters: {
    readonly resyncs: number;
    readonly lostRuns: number;
    readonly badPackets: number;
    readonly crcErrors: number;
  };
};

/** A capture from Start to Stop, whoever encodes it. It ends by `stop()` or in failure; the ring is only written to. */
export interface Session {
  readonly sourceId: string;
  readonly facts: SessionFacts;
  /** there was a picture */
  readonly wasLive: boolean;
  /** Resolves when a Start may be answered: with the first picture, or at once where another program decides when it comes. */
  readonly started: Promise<void>;
  /** Resolves when nothing of it is left: with the failure, or undefined after a Stop. */
  readonly ended: Promise<ErrorInfo | undefined>;
  /** Called for every picture that entered the ring. */
  notePicture(picture: AccessUnit): void;
  /** False when a Start with these wishes needs another session of the same source. */
  suits?(request: StartCapture): boolean;
  /** Goes on with the next way to capture the same thing, for when this one shows nothing; undefined where there is no other. */
  switchMethod?(): NextMethod | undefined;
  /** Starts anew with the present settings, for a reason people are told; absent where there is nothing to start. */
  renew?(reason: StudioError): void;
  /** Safe to call at any time, any number of times. */
  stop(): Promise<void>;
}

/** What every session reports to. */
export type ReceiverDeps = {
  ring: RingInput;
  log: Log;
  /** monotonic, seconds */
  clock: () => number;
  /** Unix, seconds */
  now: () => number;
  onProgress: (block: ProgressBlock) => void;
  onRestart: () => void;
  onChange: () => void;
  onRecovered: (message: string) => void;
};

/** Looks at the pictures of a capture, to tell a black or frozen one. */
export type PictureWatcher = {
  begin(source: OpenSource): void;
  /** a tiny grey picture (`WATCH`), about four per second */
  add(picture: Uint8Array): void;
  /** the next pictures will be another ffmpeg's */
  interrupt(): void;
  end(): void;
  /** seconds of nothing but black since `begin`, of the present ffmpeg; 0 once there was another picture */
  readonly blackFromStart: number;
};

export type SessionDeps = ReceiverDeps & {
  ffmpeg: Ffmpeg;
  backend: GrabbingBackend;
  rtmpUrl: () => string | null;
  /** true when the capture ends quietly, instead of in failure, once its source is gone */
  endsWithSource?: (sourceId: string) => boolean;
  /** where HEVC is to be seen when RTMP cannot carry it */
  liveUrl?: () => string;
  raisePriority?: () => boolean;
  /** an encoder failed and another takes its place */
  onEncoderFallback?: (fallback: { from: EncoderId; error: StudioError; message: string }) => void;
  /** what is heard with the picture when the next ffmpeg starts, silence without; a source that brings its own sound is not asked */
  sound?: () => SoundPlan;
  /** looks at what is captured; without it no picture is made for it */
  watchPictures?: PictureWatcher;
};

export type SessionOptions = {
  source: Source;
  pictureSize: PictureSize;
  /** which may encode it, best first */
  encoders: EncoderLine;
};

/** From Start to the first picture; then it is a failure with a reason. */
const FIRST_PICTURE_MS = 10_000;
/** Without pictures for this long the capture is started again. */
const STALL_RESTART_MS = 10_000;
/** Nothing but black from the very start for this long may be the fault of the way it is captured. */
const BLACK_SECONDS = 3;
/** A graphics card's encoder that says nothing for this long after its start is given up; it takes up to a second to set itself up. */
const HARDWARE_FIRST_PICTURE_MS = 4000;
/** A window being dragged to a new size sends many events; the last one counts. */
const RESIZE_SETTLE_MS = 200;
/** The X server's notice of a closed window may come a little after ffmpeg's own end. */
const EVENT_GRACE_MS = 150;
/** ffmpeg 4.x to 7.x says so once when a source's pictures queue up in front of the encoder. */
const SOURCE_WAITS = 'Thread message queue blocking';
const STOP = { quit: 'q', quitMs: 1200, termMs: 800 } as const;

type Change = 'resized' | 'renewed' | 'switched' | 'gone' | 'hidden';
type Outcome = 'stopped' | Change | ChildExit;
/** What one ffmpeg was started for. */
type Before = { state: ReturnType<OpenSource['state']>; method: string };

/**
 * One capture from Start to Stop: keeps one ffmpeg running over restarts of it, feeds the ring, and knows the facts the
 * session state is derived from. It ends by `stop()` or in failure; the ring is never touched beyond writing to it.
 */
export class CaptureSession implements Session {
  readonly #deps: SessionDeps;
  readonly #options: SessionOptions;
  readonly #stop = new AbortController();
  #open: OpenSource | undefined;
  #child: Child | undefined;
  #interrupt: (() => void) | undefined;
  #caution: string | undefined;
  /** why the present ffmpeg is to be replaced */
  #renewal: StudioError | undefined;
  /** `tried`: another way, for want of anything but black; `turning`: on the way back to the first one; `back`: there, for good */
  #blackSwitch: 'no' | 'tried' | 'turning' | 'back' = 'no';
  #fallback: Problem | undefined;
  #facts: SessionFacts;
  #startedAt: number;
  #settleFirst: (error?: StudioError) => void = () => undefined;
  /** Resolves with the first picture. Errors: why there will be none. */
  readonly started: Promise<void>;
  /** Resolves when the capture is over and nothing of it is left: with the failure, or undefined after a Stop. */
  readonly ended: Promise<ErrorInfo | undefined>;

  constructor(options: SessionOptions, deps: SessionDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#startedAt = deps.clock();
    this.#facts = {
      phase: 'starting',
      info: this.#describe({ width: options.source.width ?? 2, height: options.source.height ?? 2 }),
    };
    this.started = new Promise<void>((resolve, reject) => {
      this.#settleFirst = (error) => (error ? reject(error) : resolve());
    });
    this.started.catch(() => undefined);
    this.ended = this.#run()
      .catch((thrown: unknown) => this.#fail(asStudioError(thrown)))
      .then(() => this.#facts.error);
  }

  get facts(): SessionFacts {
    return this.#facts;
  }

  get wasLive(): boolean {
    return this.#facts.liveSince !== undefined;
  }

  get sourceId(): string {
    return this.#options.source.id;
  }

  /** pid of the running ffmpeg, for health and tests */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  suits({ pictureSize = this.#options.pictureSize, ...asked }: StartCapture): boolean {
    const { wish } = this.#options.encoders;
    const same = <T>(wanted: T | undefined, is: T): boolean => wanted === undefined || wanted === is;
    return (
      pictureSize === this.#options.pictureSize &&
      same(asked.fps, wish.fps) &&
      same(asked.encoder, wish.encoder) &&
      same(asked.codec, wish.codec) &&
      same(asked.quality, wish.quality) &&
      same(asked.bitrateKbps, wish.bitrateKbps)
    );
  }

  /** Called for every picture that entered the ring. */
  notePicture(): void {
    const { phase } = this.#facts;
    if (phase === 'ended' || phase === 'stopping') return;
    const now = this.#deps.now();
    const first = this.#facts.liveSince === undefined;
    const back = !first && this.#facts.retry !== undefined;
    /** of the present ffmpeg */
    const fresh = this.#facts.steadySince === undefined;
    const reason = this.#facts.retry?.reason.message;
    this.#facts = {
      ...this.#facts,
      phase: 'running',
      lastPictureAt: now,
      liveSince: this.#facts.liveSince ?? now,
      steadySince: this.#facts.steadySince ?? now,
      retry: undefined,
    };
    if (first) this.#settleFirst();
    if (fresh && this.#caution !== undefined) {
      this.#deps.onRecovered(this.#caution);
      this.#caution = undefined;
    }
    if (back) this.#deps.onRecovered(`${reason ?? 'The capture stopped.'} It is live again.`);
    if (first || back) this.#deps.onChange();
  }

  /** The next way to capture the same source, in a new ffmpeg; what the person must know of it is told with its first picture. */
  switchMethod(): NextMethod | undefined {
    const next = this.#open?.nextMethod?.();
    if (!next) return undefined;
    this.#deps.log.warn({ method: next.method, source: this.#options.source.name }, 'captured another way from here');
    this.#caution = next.caution;
    this.#interrupt?.();
    return next;
  }

  /**
   * What has been black from the start is captured the next way; where every way is black, as a game that loads is, the first one is
   * taken again for good: it is the best.
   */
  #leaveBlack(): void {
    const { watchPictures, log } = this.#deps;
    if ((watchPictures?.blackFromStart ?? 0) < BLACK_SECONDS) return;
    if (this.#blackSwitch === 'turning' || this.#blackSwitch === 'back') return;
    const { name } = this.#options.source;
    const next = this.switchMethod();
    if (next) {
      this.#blackSwitch = 'tried';
      this.#caution = `Nothing but black came, so "${name}" is captured another way now. ${next.caution ?? ''}`.trim();
    } else if (this.#blackSwitch === 'tried') {
      log.info({ source: name }, 'black every way: captured the first way again');
      this.#blackSwitch = 'turning';
      this.#interrupt?.();
    }
  }

  /** Starts ffmpeg anew with what is wanted now, as after a change of size. */
  renew(reason: StudioError): void {
    this.#renewal = reason;
    this.#interrupt?.();
  }

  /** Ends the capture and waits until nothing of it is left. Safe to call at any time, any number of times. */
  async stop(): Promise<void> {
    if (this.#facts.phase !== 'ended') this.#set({ phase: 'stopping' });
    this.#stop.abort();
    this.#interrupt?.();
    await this.ended;
  }

  async #run(): Promise<void> {
    const { backend, ffmpeg, ring, log } = this.#deps;
    const { source } = this.#options;
    const deadline = setTimeout(() => this.#giveUpStarting(), FIRST_PICTURE_MS);
    const backoff = new Backoff({ delaysMs: [50, 500, 1000, 2000, 4000, 8000], healthyMs: 5000 });
    try {
      this.#open = await backend.open(source, ffmpeg, (event) => this.#onSourceEvent(event), this.#stop.signal);
      this.#deps.watchPictures?.begin(this.#open);
      const output = outputSize(this.#open.state(), this.#options.pictureSize);
      this.#caution = this.#open.caution;
      this.#set({ info: this.#describe(output) });
      while (!this.#stopped()) {
        if (this.#open.state().hidden) await this.#waitWhileHidden(this.#open);
        const outcome = await this.#runOnce(this.#open, output);
        ring.endInput();
        if (outcome === 'stopped' || this.#stopped()) break;
        if (outcome === 'gone') {
          const displayLost = this.#open.state().displayLost === true;
          if (!displayLost && this.#deps.endsWithSource?.(source.id)) break;
          throw displayLost ? displayGone(source.name) : sourceGone(source);
        }
        if (outcome === 'switched' && this.#blackSwitch === 'turning') {
          this.#blackSwitch = 'back';
          await this.#open.release();
          this.#open = await backend.open(source, ffmpeg, (event) => this.#onSourceEvent(event), this.#stop.signal);
        }
        if (outcome === 'hidden' || outcome === 'switched') continue;
        if (outcome === 'renewed') {
          if (this.#renewal) this.#retry(this.#renewal, 0);
          continue;
        }
        if (outcome === 'resized') {
          this.#retry(
            new StudioError('capture-failed', `"${source.name}" changed its size.`, 'The capture goes on by itself.'),
            0,
          );
          continue;
        }
        const error = this.#whyEnded(outcome);
        if (error.code === 'encoder-failed' && this.#fallBack(error, output)) continue;
        const wait = backoff.next(outcome.ranMs);
        log.warn({ err: error.cause, attempt: backoff.attempt }, error.message);
        const hopeless = error.code === 'ffmpeg-missing' || error.code === 'ffmpeg-unsuitable';
        const neverLive = this.#facts.liveSince === undefined && backoff.attempt > 2;
        if (!hopeless && this.#facts.liveSince === undefined && this.switchMethod()) continue;
        if (wait === 'give-up' || hopeless || neverLive) throw error;
        this.#retry(error, backoff.attempt);
        await pause(wait, this.#stop.signal);
      }
      this.#end();
    } finally {
      clearTimeout(deadline);
      this.#deps.watchPictures?.end();
      await this.#open?.release();
    }
  }

  #whyEnded(exit: ChildExit): StudioError {
    const encoder = this.#options.encoders.current;
    const { hardware } = kindOf(encoder);
    return classifyExit(exit, { encoder, hardware, hadPicture: this.#facts.steadySince !== undefined });
  }

  /** The next encoder in the place of one that failed; false when none is left. */
  #fallBack(error: StudioError, output: Size): boolean {
    const { encoders } = this.#options;
    const from = encoders.current;
    const to = encoders.next();
    if (to === undefined) return false;
    const problem = {
      code: 'encoder-fallback',
      severity: 'warning',
      message: `${error.message} ${encoderName(to)} encodes in its place.`,
      remedy: error.remedy,
    } as const;
    this.#deps.log.warn({ err: error.cause, from, to }, problem.message);
    this.#fallback = problem;
    this.#set({ info: this.#describe(output), problems: this.#problems() });
    this.#retry(error, 0);
    this.#deps.onEncoderFallback?.({ from, error, message: problem.message });
    return true;
  }

  /** What stands against this capture, apart from how it fares. */
  #problems(): Problem[] {
    const fallback = this.#fallback;
    return [
      ...(fallback ? [fallback] : []),
      ...(this.#carried()
        ? []
        : [hevcNotCarried(this.#deps.liveUrl?.() ?? '/live.ts', 'choose H.264 in the settings')]),
    ];
  }

  #carried(): boolean {
    return this.#options.encoders.codec === 'h264' || flvCarriesHevc(this.#deps.ffmpeg.version);
  }

  /** One ffmpeg from start to end. */
  async #runOnce(open: OpenSource, output: Size): Promise<Outcome> {
    const { ring, log, clock, rtmpUrl, ffmpeg, onProgress, onRestart, watchPictures } = this.#deps;
    const { encoders } = this.#options;
    const { fps } = encoders.wish;
    const parser = new ProgressParser();
    const before = { state: open.state(), method: open.method };
    if (before.state.gone) return 'gone';
    this.#renewal = undefined;
    const sound = open.audio ?? this.#deps.sound?.() ?? SILENCE;
    const args = captureArgs({
      input: open.input(fps),
      filters: open.filters?.() ?? [],
      sound,
      stampedByWall: open.stampedByWall === true,
      encoder: encoders.plan(output),
      output,
      fps,
      rtmpUrl: this.#carried() ? rtmpUrl() : null,
      watch: watchPictures !== undefined,
      timestampOffset: this.#facts.liveSince === undefined ? 0 : clock() - this.#startedAt,
    });
    if (this.#facts.liveSince === undefined) this.#startedAt = clock();
    log.debug({ args: args.map(withoutToken) }, 'starting ffmpeg');
    onRestart();
    this.#set({ steadySince: undefined, sourceWaited: false, problems: this.#problems() });
    ring.beginEpoch({ sourceName: open.name });
    const child = startChild({
      name: 'ffmpeg capture',
      command: ffmpeg.ffmpeg,
      args,
      onStdout: (chunk) => ring.write(chunk),
      onControlLine: (line) => {
        const block = parser.push(line);
        if (block) onProgress(block);
      },
      onStderrLine: (line) => {
        log.debug({ line }, 'ffmpeg');
        if (line.includes(SOURCE_WAITS)) this.#set({ sourceWaited: true });
      },
      extra: [
        ...(watchPictures ? [{ fd: 4, onData: pictureSplitter(fps, (picture) => watchPictures.add(picture)) }] : []),
        ...(sound.live ? [{ fd: sound.live.fd, feed: sound.live.feed }] : []),
      ],
    });
    this.#child = child;
    const raised = this.#deps.raisePriority?.() === true ? raise(child.pid) : undefined;
    this.#set({ info: this.#describe(output, raised), priorityRefused: raised?.refused === true });
    const startedAt = this.#deps.now();
    const impatient = encoders.hasNext && kindOf(encoders.current).hardware;
    const watch = setInterval(() => {
      const newest = Math.max(startedAt, this.#facts.lastPictureAt ?? 0);
      const mute = impatient && this.#facts.steadySince === undefined;
      // SIGKILL: a process that is stopped or hangs in the kernel answers to nothing else
      if ((this.#deps.now() - newest) * 1000 > (mute ? HARDWARE_FIRST_PICTURE_MS : STALL_RESTART_MS)) child.kill();
      if (open.method === before.method) this.#leaveBlack();
    }, 500);
    try {
      for (;;) {
        const interrupted = new Promise<'interrupted'>((resolve) => {
          this.#interrupt = () => resolve('interrupted');
        });
        const what = this.#stop.signal.aborted ? 'interrupted' : await Promise.race([child.exited, interrupted]);
        if (what !== 'interrupted') {
          await within(interrupted, EVENT_GRACE_MS);
          return this.#changeSince(open, before) ?? what;
        }
        if (this.#stopped()) {
          await child.stop(STOP);
          return 'stopped';
        }
        await pause(RESIZE_SETTLE_MS, this.#stop.signal);
        const change = this.#changeSince(open, before);
        if (change === undefined || this.#stopped()) continue;
        await child.stop(STOP);
        return change;
      }
    } finally {
      clearInterval(watch);
      watchPictures?.interrupt();
      this.#interrupt = undefined;
      this.#child = undefined;
    }
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #changeSince(open: OpenSource, { state: before, method }: Before): Change | undefined {
    const now = open.state();
    if (now.gone) return 'gone';
    if (now.hidden) return 'hidden';
    if (open.method !== method || this.#blackSwitch === 'turning') return 'switched';
    if (this.#renewal) return 'renewed';
    return now.width !== before.width || now.height !== before.height || now.place !== before.place
      ? 'resized'
      : undefined;
  }

  async #waitWhileHidden(open: OpenSource): Promise<void> {
    this.#retry(
      new StudioError(
        'source-unavailable',
        `"${open.name}" is minimised or hidden.`,
        'Show the window again; the capture goes on by itself.',
      ),
      0,
    );
    while (!this.#stop.signal.aborted && open.state().hidden && !open.state().gone) {
      await new Promise<void>((resolve) => {
        this.#interrupt = resolve;
      });
    }
    this.#interrupt = undefined;
  }

  #onSourceEvent(event: SourceEvent): void {
    this.#deps.log.info({ event: event.type, source: this.#options.source.name }, 'source changed');
    this.#interrupt?.();
  }

  #giveUpStarting(): void {
    if (this.#facts.liveSince !== undefined || this.#facts.phase === 'ended') return;
    const tail = this.#child?.stderrTail().slice(-6).join(' / ') ?? '';
    this.#fail(
      new StudioError(
        'start-timeout',
        `No picture came from "${this.#options.source.name}" within 10 seconds.`,
        'Check that the window is visible, then start again.',
        {
          cause: new Error(`first-output deadline; ffmpeg said: ${tail}`),
        },
      ),
    );
    this.#stop.abort();
    this.#interrupt?.();
  }

  #describe(output: Size, raised?: Raised): CaptureInfo {
    const { source, encoders } = this.#options;
    return {
      ...{ id: source.id, name: source.name, kind: source.kind, ...output, fps: encoders.wish.fps },
      ...{ codec: encoders.codec, encoder: encoders.current },
      ...(raised ? { priority: describePriority(raised) } : {}),
    };
  }

  #retry(reason: StudioError, attempt: number): void {
    if (this.#facts.liveSince === undefined) return;
    this.#set({ phase: 'retrying', retry: { reason: reason.toInfo(), attempt } });
  }

  #fail(error: StudioError): void {
    if (this.#facts.phase === 'ended') return;
    this.#deps.log.warn({ err: error }, error.message);
    this.#settleFirst(error);
    this.#set({ phase: 'ended', error: error.toInfo(), endedAt: this.#deps.now() });
  }

  #end(): void {
    if (this.#facts.phase === 'ended') return;
    this.#settleFirst(new StudioError('cancelled', 'The start was cancelled.', 'Press Start again when you want it.'));
    this.#set({ phase: 'ended' });
  }

  #set(change: Partial<SessionFacts>): void {
    if (this.#facts.phase === 'ended') return;
    this.#facts = { ...this.#facts, ...change };
    this.#deps.onChange();
  }
}

const GONE: Partial<Record<SourceKind, (name: string) => [string, string]>> = {
  screen: (name) => [
    `The screen "${name}" is no longer there.`,
    'The replay is kept. Choose another screen and press Start.',
  ],
  camera: (name) => [
    `"${name}" was unplugged or switched off.`,
    'The replay is kept. Plug it in again and press Start.',
  ],
};

const sourceGone = ({ kind, name }: Source): StudioError => {
  const [message, remedy] = GONE[kind]?.(name) ?? [
    `The window "${name}" was closed.`,
    'The replay is kept. Open it again and press Start.',
  ];
  return new StudioError(kind === 'window' ? 'source-gone' : 'device-lost', message, remedy);
};

const displayGone = (name: string): StudioError =>
  new StudioError(
    'device-lost',
    `The display that showed "${name}" is gone.`,
    'The replay is kept. Log in again or start the X server, then choose the source again.',
  );

const asStudioError = (thrown: unknown): StudioError =>
  thrown instanceof StudioError
    ? thrown
    : new StudioError('internal', 'The capture ended unexpectedly.', 'Start again; the log holds the details.', {
        cause: thrown,
      });
