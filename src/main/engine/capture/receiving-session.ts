import {
  StudioError,
  type CaptureInfo,
  type ErrorInfo,
  type Problem,
  type ProblemCode,
  type Source,
} from '../../../contract/index.ts';
import type { Sink } from '../pipes/owner.ts';
import type { AccessUnit } from '../replay/accessUnit.ts';
import { StreamProbe } from './obs-pipe-probe.ts';
import type { ReceiverDeps, RingInput, Session } from './session.ts';
import type { SessionFacts } from './status.ts';

/** The inlet as the session needs it. */
export type Inlet = {
  attach(sink: Sink): () => void;
  readonly refusedAt: number | undefined;
  /** why nothing comes although somebody sends, where the inlet knows better than the bytes */
  readonly problem?: Problem | undefined;
};

/** How a kind of input is spoken of. */
export type InputWords = {
  /** "the pipe" */
  place: string;
  /** nothing has come yet, a whole sentence */
  waiting: string;
  /** what to do when it stopped */
  resume: string;
  /** what to do when there is no picture, or no keyframe */
  encoder: string;
  keyframes: string;
  damaged: string;
};

/** Without a picture for this long something is not set as it must be; waiting goes on all the same. */
const HINT_SECONDS = 10;
/** MPEG-TS repeats its tables ten times a second; what sends longer than this without one sends something else. */
const UNREADABLE_SECONDS = 3;
/** How long a thing that happened stays a present problem. */
const RECENT_SECONDS = 10;
const PROGRESS_SECONDS = 0.25;

/**
 * A capture whose bytes another program sends: one stream after another goes into the ring, each as its own epoch. There is no
 * deadline: the other program may be started whenever its user likes. Facts are derived when they are asked for.
 */
export class ReceivingSession implements Session {
  readonly started = Promise.resolve();
  readonly ended: Promise<undefined>;
  readonly #source: Source;
  readonly #deps: ReceiverDeps;
  readonly #inlet: Inlet;
  readonly #words: InputWords;
  readonly #detach: () => void;
  #settle: () => void = () => undefined;
  #phase: 'receiving' | 'ended' = 'receiving';
  #info: CaptureInfo;
  #probe = new StreamProbe();
  /** monotonic: since when the present sender sends, undefined between two */
  #sendingSince: number | undefined;
  #waitingSince: number;
  /** the last sender went without ever having sent a program table */
  #leftUnread = false;
  #liveSince: number | undefined;
  #lastPictureAt: number | undefined;
  #steadySince: number | undefined;
  #gone: ErrorInfo | undefined;
  #damage = { seen: 0, recent: 0, at: Number.NEGATIVE_INFINITY };
  #count = new PictureCount();

  constructor(source: Source, inlet: Inlet, words: InputWords, deps: ReceiverDeps) {
    this.#source = source;
    this.#deps = deps;
    this.#inlet = inlet;
    this.#words = words;
    this.#info = { id: source.id, name: source.name, kind: source.kind };
    this.#waitingSince = deps.clock();
    this.ended = new Promise((resolve) => {
      this.#settle = () => resolve(undefined);
    });
    this.#detach = inlet.attach({
      begin: () => this.#begin(),
      data: (chunk) => this.#data(chunk),
      end: () => this.#end(),
    });
  }

  get sourceId(): string {
    return this.#source.id;
  }

  get wasLive(): boolean {
    return this.#liveSince !== undefined;
  }

  get facts(): SessionFacts {
    const running = this.#gone ? 'retrying' : 'running';
    return {
      phase: this.#phase === 'ended' ? 'ended' : this.#liveSince === undefined ? 'starting' : running,
      info: this.#info,
      liveSince: this.#liveSince,
      lastPictureAt: this.#lastPictureAt,
      steadySince: this.#steadySince,
      ...(this.#gone ? { retry: { reason: this.#gone, attempt: 0 } } : {}),
      problems: this.#phase === 'ended' ? [] : this.#problems(),
    };
  }

  notePicture(picture: AccessUnit): void {
    if (this.#phase === 'ended' || this.#sendingSince === undefined) return;
    const now = this.#deps.now();
    const first = this.#liveSince === undefined;
    const back = this.#gone !== undefined;
    this.#lastPictureAt = now;
    this.#liveSince ??= now;
    if (this.#steadySince === undefined) {
      this.#steadySince = now;
      this.#damage.seen = damageOf(this.#deps.ring); // joining in the middle of a stream is no damage
    }
    this.#gone = undefined;
    if (this.#count.add(picture, this.#deps.clock())) this.#deps.onRestart();
    const block = this.#count.progress(this.#deps.clock());
    if (block) this.#deps.onProgress(block);
    const described = this.#describe(picture);
    if (back) this.#deps.onRecovered(`${this.#source.name} sends again. It is live.`);
    if (first || back || described) this.#deps.onChange();
  }

  /** Stops taking the bytes in; the inlet goes on reading, so the other program is not disturbed. */
  async stop(): Promise<void> {
    if (this.#phase === 'ended') return Promise.resolve();
    this.#detach();
    this.#deps.ring.endInput();
    this.#phase = 'ended';
    this.#settle();
    this.#deps.onChange();
    return Promise.resolve();
  }

  #begin(): void {
    const { ring, clock, log, onRestart } = this.#deps;
    log.info({ source: this.#source.name }, 'a sender begins');
    this.#probe = new StreamProbe();
    this.#sendingSince = clock();
    this.#steadySince = undefined;
    this.#count = new PictureCount();
    onRestart();
    ring.beginEpoch({ sourceName: this.#source.name });
    this.#damage.seen = damageOf(ring);
  }

  #data(chunk: Uint8Array): void {
    const { ring, clock } = this.#deps;
    this.#probe.push(chunk);
    if (this.#probe.finding !== 'nothing') this.#leftUnread = false;
    ring.write(chunk);
    const damage = damageOf(ring);
    if (damage === this.#damage.seen) return;
    const isNew = clock() - this.#damage.at > RECENT_SECONDS;
    const grown = this.#steadySince === undefined ? 0 : damage - this.#damage.seen;
    const recent = (isNew ? 0 : this.#damage.recent) + grown;
    this.#damage = { seen: damage, recent, at: grown > 0 ? clock() : this.#damage.at };
  }

  #end(): void {
    const { ring, clock, log, onChange } = this.#deps;
    log.info({ source: this.#source.name }, 'the sender is gone');
    ring.endInput();
    if (this.#probe.finding === 'nothing') this.#leftUnread = true;
    this.#sendingSince = undefined;
    this.#steadySince = undefined;
    this.#waitingSince = clock();
    if (this.#liveSince !== undefined) {
      this.#gone = new StudioError(
        'source-gone',
        `${this.#source.name} stopped sending.`,
        `The replay is kept. ${this.#words.resume}; it goes on by itself.`,
      ).toInfo();
    }
    onChange();
  }

  /** Takes over what the stream says of itself; true when that is news. */
  #describe({ codec, width, height }: AccessUnit): boolean {
    const { fps } = this.#count;
    const known = this.#info;
    const sameFps =
      fps === undefined || (known.fps !== undefined && Math.abs(fps - known.fps) < 0.01 * Math.max(1, known.fps));
    if (known.codec === codec && known.width === width && known.height === height && sameFps) return false;
    const { id, name, kind } = known;
    const rate = sameFps ? known.fps : fps;
    this.#info = {
      ...{ id, name, kind, codec },
      ...(width === undefined || height === undefined ? {} : { width, height }),
      ...(rate === undefined ? {} : { fps: Math.round(rate * 100) / 100 }),
    };
    return true;
  }

  #problems(): Problem[] {
    const now = this.#deps.clock();
    const problems: Problem[] = [];
    const add = (code: ProblemCode, severity: Problem['severity'], message: string, remedy: string): void => {
      problems.push({ code, severity, message, remedy });
    };
    const { place, waiting, encoder, keyframes, damaged } = this.#words;
    const { refusedAt, problem } = this.#inlet;
    const hint = this.#source.hint ?? 'Check the settings of the program that sends.';
    const sending = this.#sendingSince === undefined ? undefined : now - this.#sendingSince;
    const { finding } = this.#probe;
    const unread = sending === undefined ? this.#leftUnread : finding === 'nothing' && sending >= UNREADABLE_SECONDS;
    if (problem) {
      problems.push(problem);
    } else if (unread) {
      add('input-unreadable', 'error', `What arrives in ${place} is not MPEG-TS.`, hint);
    } else if (sending === undefined) {
      if (this.#liveSince === undefined && now - this.#waitingSince >= HINT_SECONDS)
        add('input-waiting', 'warning', waiting, hint);
    } else if (finding === 'no-video') {
      add('input-unreadable', 'error', `The stream in ${place} holds no H.264 or HEVC picture.`, encoder);
    } else if (this.#steadySince === undefined && sending >= HINT_SECONDS) {
      add('input-waiting', 'warning', `The stream in ${place} has brought no keyframe yet.`, keyframes);
    }
    if (now - this.#damage.at < RECENT_SECONDS) {
      add(
        'input-damaged',
        'warning',
        `The stream in ${place} was damaged in ${this.#damage.recent} places just now.`,
        damaged,
      );
    }
    if (refusedAt !== undefined && now - refusedAt < RECENT_SECONDS) {
      add(
        'input-second-sender',
        'warning',
        'A second program tried to send; only the first one is used.',
        'End one of the two: a second recording in OBS, or another ffmpeg.',
      );
    }
    return problems;
  }
}

const damageOf = ({ counters }: RingInput): number =>
  counters.resyncs + counters.lostRuns + counters.badPackets + counters.crcErrors;

/** Counts the pictures of one stream, for the rates over two seconds, and takes its picture rate from the timestamps of its groups. */
class PictureCount {
  /** pictures per second from keyframe to keyframe */
  fps: number | undefined;
  #epoch: number | undefined;
  #frames = 0;
  #newestMicros = 0;
  #key: { micros: number; frame: number } | undefined;
  #changed = false;
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** True when the stream began anew, so that earlier counts do not compare. */
  add(picture: AccessUnit, at: number): boolean {
    const { epochId, keyframe, ptsMicros } = picture;
    const anew = this.#epoch !== undefined && this.#epoch !== epochId;
    if (this.#epoch !== epochId) {
      this.#epoch = epochId;
      this.#frames = 0;
      this.#newestMicros = ptsMicros;
      this.#key = undefined;
      this.#reportedAt = at - PROGRESS_SECONDS;
    }
    if (keyframe) {
      const seconds = this.#key === undefined ? 0 : (ptsMicros - this.#key.micros) / 1e6;
      if (this.#key && seconds > 0) this.fps = (this.#frames - this.#key.frame) / seconds;
      this.#key = { micros: ptsMicros, frame: this.#frames };
    }
    this.#frames += 1;
    // B-frames come out of order
    this.#newestMicros = Math.max(this.#newestMicros, ptsMicros);
    this.#changed = true;
    return anew;
  }

  /** What ffmpeg would say of its progress, four times a second and only when there is news: a stall must show as one. */
  progress(at: number): { frame: number; dup: 0; drop: 0; q: null; outTime: number; end: false } | undefined {
    if (!this.#changed || at - this.#reportedAt < PROGRESS_SECONDS) return undefined;
    this.#changed = false;
    this.#reportedAt = at;
    return { frame: this.#frames, dup: 0, drop: 0, q: null, outTime: this.#newestMicros / 1e6, end: false };
  }
}
