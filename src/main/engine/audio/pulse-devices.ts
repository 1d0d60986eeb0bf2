import type { AudioDevice } from '../../../contract/index.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import { Backoff, pause } from '../process/backoff.ts';
import { runToEnd, startChild, type Child } from '../process/child.ts';
import type { AudioDevices, DeviceList } from './devices.ts';
import { SAMPLE_RATE } from './plan.ts';
import { isDeviceEvent, parseFfmpegSources, parsePulse, type PulseList } from './pulse-list.ts';
import { findPulseServer } from './pulse-server.ts';

/** Looking for a server that is not there costs a few file look-ups. */
const LOOK_MS = 1000;
/** One thing plugged in is a dozen events. */
const SETTLE_MS = 100;
const ASK_MS = 4000;
/** How often the list is read where nobody tells of changes. */
const POLL_MS = 5000;
/** Sound comes in pieces of 10 ms: 16 bits, two channels. */
const FRAGMENT_BYTES = (SAMPLE_RATE / 100) * 4;

const NO_SERVER =
  'No sound server runs for this user, so there is no sound to capture. Start PulseAudio or PipeWire (pipewire-pulse); it is noticed by itself.';
const NO_LIST =
  'The sound devices could not be listed. Install the package that has pactl (pulseaudio-utils, on Arch libpulse).';

export type PulseDeps = {
  env: NodeJS.ProcessEnv;
  uid: number | undefined;
  tools: FfmpegTools;
  log: Log;
  /** the program to ask; tests name one that is not there */
  pactl?: string;
};

/** The devices of PulseAudio, or of PipeWire in its place, told anew by `pactl subscribe` whenever something changes. */
export class PulseDevices implements AudioDevices {
  /** libpulse knows how far a device's sound is from being heard; a monitor is ahead of the loudspeakers (49 ms of a null sink, measured) */
  readonly stamped = true;
  readonly #deps: PulseDeps;
  readonly #pactl: string;
  readonly #closing = new AbortController();
  #env: NodeJS.ProcessEnv;
  #list: DeviceList = { unavailable: null, devices: [], playing: [] };
  #onChange: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #child: Child | undefined;
  /** a change was told while the list was being read */
  #stale = false;
  #reading: Promise<void> | undefined;

  constructor(deps: PulseDeps) {
    this.#deps = deps;
    this.#pactl = deps.pactl ?? 'pactl';
    this.#env = deps.env;
  }

  get list(): DeviceList {
    return this.#list;
  }

  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  start(onChange: () => void): void {
    this.#onChange = onChange;
    this.#running = this.#run();
  }

  input(device: AudioDevice): readonly string[] {
    return [
      ...['-f', 'pulse', '-name', 'Pitwall', '-sample_rate', String(SAMPLE_RATE), '-channels', '2'],
      ...['-fragment_size', String(FRAGMENT_BYTES), '-i', device.id],
    ];
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#child?.stop({ termMs: 500 });
    await this.#running;
    await this.#reading;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { log, env, uid } = this.#deps;
    const backoff = new Backoff({ delaysMs: [100, 500, 1000, 2000, 5000], healthyMs: 10_000, forever: true });
    while (!signal.aborted) {
      const server = await findPulseServer(env, uid).catch(() => undefined);
      if (server === undefined) {
        this.#set({ unavailable: NO_SERVER, devices: [], playing: [] });
        await pause(LOOK_MS, signal);
        continue;
      }
      // an address tells the clients not to start a server; numbers with a decimal comma would spoil pactl's JSON
      this.#env = { ...env, PULSE_SERVER: server, LC_ALL: 'C' };
      const ranMs = await this.#follow();
      if (ranMs === 'no-pactl') {
        await this.#poll();
        await pause(POLL_MS, signal);
        continue;
      }
      const wait = backoff.next(ranMs);
      if (backoff.attempt <= 1) log.info({ server }, 'the sound server was lost');
      await pause(wait === 'give-up' ? LOOK_MS : wait, signal);
    }
  }

  /** Keeps the list true for as long as the server answers. Resolves with how long that was. */
  async #follow(): Promise<number | 'no-pactl'> {
    const child = startChild({
      name: 'pactl subscribe',
      command: this.#pactl,
      args: ['subscribe'],
      env: this.#env,
      onStdoutLine: (line) => {
        if (isDeviceEvent(line)) this.#refresh();
      },
    });
    this.#child = child;
    if (this.#closing.signal.aborted) child.kill();
    this.#refresh();
    const exit = await child.exited;
    this.#child = undefined;
    if (exit.spawnError) return 'no-pactl';
    await this.#reading;
    if (!this.#closing.signal.aborted) this.#set({ unavailable: NO_SERVER, devices: [], playing: [] });
    return exit.ranMs;
  }

  /** Reads the list, soon; once more when something changed meanwhile. */
  #refresh(): void {
    this.#stale = true;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
  }

  async #read(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#stale && !this.#closed()) {
      this.#stale = false;
      try {
        const { devices, playing } = await this.#ask();
        if (this.#child) this.#set({ unavailable: null, devices, playing });
      } catch (error) {
        if (this.#closed() || !this.#child) return;
        this.#deps.log.info({ err: error }, 'pactl did not list the sound devices');
        await this.#poll();
      }
      await pause(SETTLE_MS, signal);
    }
  }

  async #ask(): Promise<PulseList> {
    const ask = async (...what: string[]): Promise<string> => {
      const options = { timeoutMs: ASK_MS, signal: this.#closing.signal, env: this.#env };
      const { code, stdout, stderr } = await runToEnd(this.#pactl, ['-f', 'json', ...what], options);
      if (code !== 0) throw new Error(`pactl ${what.join(' ')}: ${stderr.join(' / ')}`);
      return stdout.toString('utf8');
    };
    const [info, sources, sinks] = await Promise.all([ask('info'), ask('list', 'sources'), ask('list', 'sinks')]);
    return parsePulse(info, sources, sinks);
  }

  /** Without a `pactl` that speaks JSON (before PulseAudio 16) ffmpeg itself can be asked. */
  async #poll(): Promise<void> {
    try {
      const { ffmpeg } = await this.#deps.tools.get();
      const options = { timeoutMs: ASK_MS, signal: this.#closing.signal, env: this.#env };
      const { stdout, stderr } = await runToEnd(ffmpeg, ['-hide_banner', '-sources', 'pulse'], options);
      const devices = parseFfmpegSources(`${stdout.toString('utf8')}\n${stderr.join('\n')}`);
      this.#set({ unavailable: devices.length > 0 ? null : NO_LIST, devices, playing: [] });
    } catch {
      if (!this.#closing.signal.aborted) this.#set({ unavailable: NO_LIST, devices: [], playing: [] });
    }
  }

  #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  #set(list: DeviceList): void {
    if (JSON.stringify(list) === JSON.stringify(this.#list)) return;
    this.#list = list;
    this.#onChange();
  }
}
