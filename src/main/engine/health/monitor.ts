import type { Health, Problem, ReplayStatus } from '../../../contract/index.ts';
import type { ProgressBlock } from '../ffmpeg/progress.ts';
import type { Log } from '../logging/log.ts';
import { DiskWatch, type LookAt } from './disk-watch.ts';
import { deriveHealth, type HealthInput } from './health.ts';
import { MemoryWatch, availableMemoryOn, growthOf } from './memory-watch.ts';
import { PictureHealth } from './picture-health.ts';
import { SteadyProblems } from './steady.ts';
import { ByteRate, RateWindow } from './window.ts';

export type HealthMonitorDeps = {
  platform: NodeJS.Platform;
  /** monotonic, seconds */
  clock: () => number;
  log: Pick<Log, 'info' | 'warn'>;
  /** what is written to, by its name for people */
  folders: () => readonly { name: string; folder: string }[];
  /** of the longest Save button */
  clipSeconds: () => number;
  onChange: () => void;
  lookAt?: LookAt;
};

/** What the other parts know, of which the monitor's own measurements are no part. */
export type HealthFacts = Omit<HealthInput, 'rates' | 'bitrateKbps'> & {
  replay: Pick<ReplayStatus, 'bytesHeld' | 'capacityBytes' | 'capacitySeconds'>;
};

const LOOK_MS = 5000;

/** Measures what is measured (rates, pictures, disk, memory), derives what is wrong from it and all other facts, and logs each change once. */
export class HealthMonitor {
  readonly pictures: PictureHealth;
  readonly #deps: HealthMonitorDeps;
  readonly #rates = new RateWindow();
  readonly #bytes = new ByteRate();
  readonly #disk: DiskWatch;
  readonly #memory: MemoryWatch;
  readonly #steady: SteadyProblems;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: HealthMonitorDeps) {
    const { platform, clock, log, onChange, folders, lookAt } = deps;
    this.#deps = deps;
    this.pictures = new PictureHealth({ platform, clock, log, onChange });
    this.#disk = new DiskWatch({ folders, onChange, ...(lookAt ? { lookAt } : {}) });
    this.#memory = new MemoryWatch(availableMemoryOn(platform));
    this.#steady = new SteadyProblems(({ appeared, cleared }) => {
      for (const { code, message, remedy } of appeared) log.warn({ problem: code, remedy }, message);
      for (const { code, message } of cleared) log.info({ problem: code }, `over: ${message}`);
    });
  }

  start(): void {
    this.#look();
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.pictures.end();
  }

  /** ffmpeg told its progress. */
  noteProgress(block: ProgressBlock): void {
    this.#rates.add(this.#deps.clock(), block);
  }

  /** Another ffmpeg counts from zero. */
  restarted(): void {
    this.#rates.reset();
  }

  /** `bytes` entered the replay ring since the program began. */
  noteBytes(bytes: number): void {
    this.#bytes.add(this.#deps.clock(), bytes);
  }

  /** The capture was stopped. */
  stopped(): void {
    this.#rates.reset();
    this.#bytes.reset();
  }

  derive({ replay, ...facts }: HealthFacts): Health {
    const { state } = facts.session;
    const running = state === 'live' || state === 'stalled' || state === 'reconnecting';
    const bitrateKbps = this.#bytes.kbps();
    const standing = [...facts.standing, ...this.#own(replay, running ? bitrateKbps : null, running)];
    const health = deriveHealth({ ...facts, standing, rates: this.#rates.read(this.#deps.clock()), bitrateKbps });
    return { ...health, problems: this.#steady.filter(health.problems, facts.now, running) };
  }

  #own(replay: HealthFacts['replay'], bitrateKbps: number | null, running: boolean): Problem[] {
    const disk = this.#disk.problem(this.#deps.clipSeconds(), bitrateKbps);
    const memory = running ? this.#memory.problem(growthOf(replay, bitrateKbps)) : null;
    const { unwritable } = this.#disk;
    return [
      ...this.pictures.problems,
      ...(unwritable ? [unwritable] : []),
      ...(disk ? [disk] : []),
      ...(memory ? [memory] : []),
    ];
  }

  #look(): void {
    void this.#disk.look();
    void this.#memory.look();
  }
}
