import type { Writable } from 'node:stream';
import type { AudioDevice, AudioRole, AudioSettings, AudioState, Problem } from '../../../contract/index.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import { resolvePick, type AudioDevices } from './devices.ts';
import { SILENCE_DB, type Level } from './levels.ts';
import { SILENCE, livePlan, type SoundPlan } from './plan.ts';
import { SoundPump } from './pump.ts';
import { DeviceReader } from './reader.ts';

export type SoundDeps = {
  devices: AudioDevices;
  tools: Pick<FfmpegTools, 'get'>;
  log: Log;
  settings: () => AudioSettings;
  /** monotonic, seconds */
  clock: () => number;
  /** Unix, seconds */
  now: () => number;
  /** devices, levels or problems are others */
  onChange: () => void;
  /** a running capture has to be started anew for its sound to be as wanted */
  onOtherPlan: () => void;
};

/** A capture that is started again goes on with the same readers. */
const LINGER_MS = 1500;
/** Digital silence for so long is no quiet menu, seconds. */
const NO_SOUND_SECONDS = 10;
/** The list of devices is waited for before the first capture, at most. */
const FIRST_LIST_MS = 1500;

const ROLES = ['desktop', 'microphone'] as const;
const TITLES: Record<AudioRole, string> = { desktop: 'Desktop', microphone: 'Microphone' };

/** When a capture began: on the monotonic clock, and the time of day, seconds. */
type Start = { began: number; startedAt: number };

type Track = { device: AudioDevice | undefined; level: Level | undefined; silentSince: number | undefined };

/**
 * The sound that goes with the picture: which devices, as tracks of which plan, how loud, and what is wrong. Devices are read by processes of
 * their own and written to the capture by `SoundPump`, so a device that dies, hangs or comes back is never felt by the picture.
 */
export class Sound {
  readonly #deps: SoundDeps;
  readonly #tracks = new Map<AudioRole, Track>();
  readonly #readers = new Map<AudioRole, DeviceReader>();
  #plan: { key: string; roles: readonly AudioRole[] } | undefined;
  #pump: SoundPump | undefined;
  #startedAt = 0;
  #linger: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: SoundDeps) {
    this.#deps = deps;
  }

  /** Resolves once it is known what there is, or soon. Never rejects. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FIRST_LIST_MS);
      this.#deps.devices.start(() => {
        clearTimeout(timer);
        resolve();
        this.#onDevices();
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#linger);
    this.#pump?.stop();
    await this.#deps.devices.close();
    await this.#stopReaders();
  }

  /** What the next capture hears; `settingsChanged` and new devices may call for another one while it runs. */
  plan(): SoundPlan {
    const roles = this.#wanted();
    const key = this.#keyOf(roles);
    this.#plan = { key, roles };
    if (roles.length === 0) return SILENCE;
    const startedAt = this.#deps.now();
    const began = this.#deps.clock();
    const { offsetMs } = this.#deps.settings();
    const named = roles.map((role) => TITLES[role]);
    const [first = '', ...rest] = named.length > 1 ? ['Mix', ...named] : named;
    return livePlan([first, ...rest], offsetMs, startedAt, (out) =>
      this.#feed(out, roles, { began, startedAt }, offsetMs / 1000),
    );
  }

  /** Other devices are taken at once; another set of tracks or another offset needs another plan. */
  settingsChanged(): void {
    this.#onDevices();
  }

  get state(): AudioState {
    const { unavailable, devices } = this.#deps.devices.list;
    return {
      unavailable,
      devices: [...devices],
      tracks: [...this.#tracks].map(([role, { device, level, silentSince }]) => ({
        role,
        device: device?.name ?? this.#deps.settings()[role].device?.name ?? '',
        rmsDb: level?.rmsDb ?? null,
        peakDb: level?.peakDb ?? null,
        silentSince: silentSince ?? null,
      })),
    };
  }

  get problems(): Problem[] {
    return [...this.#tracks].flatMap(([role, track]) => {
      const lost = track.device === undefined ? this.#lost(role) : this.#silent(role, track.device, track.silentSince);
      return lost ? [lost] : [];
    });
  }

  /** The tracks that are wanted and possible; one that runs stays while it is wanted, silent where its device is gone. */
  #wanted(): AudioRole[] {
    const settings = this.#deps.settings();
    const { devices } = this.#deps.devices.list;
    return ROLES.filter((role) => {
      const pick = settings[role];
      if (!pick.enabled) return false;
      if (this.#plan?.roles.includes(role) === true && this.#pump) return true;
      return pick.device ? devices.length > 0 : resolvePick(pick, role, devices) !== undefined;
    });
  }

  #keyOf(roles: readonly AudioRole[]): string {
    return roles.length === 0 ? '' : `${roles.join('+')} ${this.#deps.settings().offsetMs}`;
  }

  #feed(out: Writable, roles: readonly AudioRole[], start: Start, offsetSeconds: number): void {
    clearTimeout(this.#linger);
    this.#pump?.stop();
    for (const role of ROLES) if (!roles.includes(role)) this.#tracks.delete(role);
    const pump = new SoundPump({
      roles,
      out,
      clock: () => this.#deps.clock() - start.began,
      offsetSeconds,
      onLevel: (role, level) => this.#onLevel(role, level),
    });
    this.#pump = pump;
    this.#startedAt = start.startedAt;
    for (const role of roles) {
      const track = this.#tracks.get(role);
      this.#tracks.set(role, { device: track?.device, level: track?.level, silentSince: track?.silentSince });
    }
    this.#sync();
    out.once('close', () => {
      if (this.#pump !== pump) return;
      this.#linger = setTimeout(() => {
        if (this.#pump !== pump) return;
        this.#pump = undefined;
        this.#plan = undefined;
        this.#tracks.clear();
        void this.#stopReaders();
        this.#deps.onChange();
      }, LINGER_MS);
    });
  }

  #onDevices(): void {
    if (this.#pump) this.#sync();
    if (this.#plan && this.#keyOf(this.#wanted()) !== this.#plan.key) this.#deps.onOtherPlan();
    this.#deps.onChange();
  }

  /** Every track is read from the device that is meant by it now. */
  #sync(): void {
    const settings = this.#deps.settings();
    const { devices } = this.#deps.devices.list;
    for (const [role, track] of this.#tracks) {
      const device = resolvePick(settings[role], role, devices);
      track.device = device;
      const reader = this.#readers.get(role);
      if (reader?.device.id === device?.id) continue;
      if (reader) {
        this.#readers.delete(role);
        this.#pump?.silence(role);
        void reader.stop();
      }
      if (device) void this.#read(role, device);
    }
    for (const [role, reader] of this.#readers) {
      if (this.#tracks.has(role)) continue;
      this.#readers.delete(role);
      void reader.stop();
    }
  }

  async #read(role: AudioRole, device: AudioDevice): Promise<void> {
    const { tools, devices, log } = this.#deps;
    const ffmpeg = await tools.get().catch(() => undefined); // a capture runs, so there is one
    if (!ffmpeg || this.#closed || this.#tracks.get(role)?.device?.id !== device.id || this.#readers.has(role)) return;
    log.info({ role, device: device.name }, 'sound is captured from here');
    const reader = new DeviceReader(device, {
      ffmpeg: ffmpeg.ffmpeg,
      input: devices.input(device),
      stamped: devices.stamped,
      env: devices.env,
      log,
      onSamples: (samples, heardAt) => {
        if (this.#readers.get(role) !== reader) return;
        this.#pump?.push(role, samples, heardAt === undefined ? undefined : heardAt - this.#startedAt);
      },
      onLost: () => {
        if (this.#readers.get(role) === reader) this.#pump?.silence(role);
      },
    });
    this.#readers.set(role, reader);
  }

  async #stopReaders(): Promise<void> {
    const readers = [...this.#readers.values()];
    this.#readers.clear();
    await Promise.all(readers.map(async (reader) => reader.stop()));
  }

  #onLevel(role: AudioRole, level: Level): void {
    const track = this.#tracks.get(role);
    if (!track) return;
    track.level = level;
    track.silentSince = level.peakDb <= SILENCE_DB ? (track.silentSince ?? this.#deps.now()) : undefined;
  }

  #lost(role: AudioRole): Problem {
    const name = this.#deps.settings()[role].device?.name;
    const what = role === 'desktop' ? 'The sound output' : 'The microphone';
    return {
      code: 'audio-device-lost',
      severity: 'warning',
      message: `${what}${name === undefined ? '' : ` "${name}"`} is gone, so its track is silent.`,
      remedy: 'Plug it in again, and it is heard again by itself, or choose another one under Sound in the settings.',
    };
  }

  #silent(role: AudioRole, device: AudioDevice, since: number | undefined): Problem | undefined {
    if (role !== 'desktop' || since === undefined || this.#deps.now() - since < NO_SOUND_SECONDS) return undefined;
    const { devices, playing } = this.#deps.devices.list;
    const other = devices.find(({ id }) => id !== device.id && playing.includes(id));
    return {
      code: 'no-sound',
      severity: 'warning',
      message: `Nothing at all has been heard from "${device.name}" for ${NO_SOUND_SECONDS} seconds.`,
      remedy: other
        ? `Something plays to "${other.name}": choose it under Sound in the settings, or let the game play to "${device.name}".`
        : 'Check that the game is not muted and plays to this device, or choose another one under Sound in the settings.',
    };
  }
}
