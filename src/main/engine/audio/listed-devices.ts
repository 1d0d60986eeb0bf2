import type { AudioDevice } from '../../../contract/index.ts';
import type { FfmpegTools } from '../ffmpeg/tools.ts';
import type { Log } from '../logging/log.ts';
import { pause } from '../process/backoff.ts';
import { runToEnd } from '../process/child.ts';
import type { AudioDevices, DeviceList } from './devices.ts';
import { parseAvfoundationAudio, parseDshowAudio } from './ffmpeg-list.ts';

/** Nobody tells of changes here, and asking starts an ffmpeg. */
const POLL_MS = 10_000;
const ASK_MS = 8000;

type System = {
  listArgs: readonly string[];
  parse: (text: string) => AudioDevice[];
  input: (device: AudioDevice) => readonly string[];
  /** what to do where no device carries other programs' sound */
  noDesktop: string;
};

export const AVFOUNDATION: System = {
  listArgs: ['-hide_banner', '-f', 'avfoundation', '-list_devices', 'true', '-i', ''],
  parse: parseAvfoundationAudio,
  input: ({ id }) => ['-f', 'avfoundation', '-i', `:${id}`],
  noDesktop:
    'macOS lets no program hear the others without a loopback device. Install BlackHole, and in Audio MIDI Setup make a Multi-Output Device of it and your speakers.',
};

export const DSHOW: System = {
  listArgs: ['-hide_banner', '-f', 'dshow', '-list_devices', 'true', '-i', 'dummy'],
  parse: parseDshowAudio,
  input: ({ id }) => ['-f', 'dshow', '-audio_buffer_size', '20', '-i', `audio=${id}`],
  noDesktop:
    'No device of this computer carries the sound of other programs. Enable Stereo Mix under Sound, Recording, or install virtual-audio-capturer (screen-capture-recorder).',
};

/** The devices ffmpeg lists by itself, asked for now and then. */
export class ListedDevices implements AudioDevices {
  /** they stamp by clocks of their own */
  readonly stamped = false;
  readonly #system: System;
  readonly #tools: FfmpegTools;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly env: NodeJS.ProcessEnv;
  #list: DeviceList = { unavailable: null, devices: [], playing: [] };
  #running: Promise<void> = Promise.resolve();

  constructor(system: System, tools: FfmpegTools, env: NodeJS.ProcessEnv, log: Log) {
    this.#system = system;
    this.#tools = tools;
    this.env = env;
    this.#log = log;
  }

  get list(): DeviceList {
    return this.#list;
  }

  start(onChange: () => void): void {
    this.#running = this.#run(onChange);
  }

  input(device: AudioDevice): readonly string[] {
    return this.#system.input(device);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(onChange: () => void): Promise<void> {
    const { signal } = this.#closing;
    const closed = (): boolean => signal.aborted;
    const { listArgs, parse, noDesktop } = this.#system;
    while (!closed()) {
      try {
        const { ffmpeg } = await this.#tools.get();
        // ffmpeg lists on stderr and then fails to open the placeholder: that is its way
        const { stderr } = await runToEnd(ffmpeg, listArgs, { timeoutMs: ASK_MS, signal, env: this.env });
        const devices = parse(stderr.join('\n'));
        const hasDesktop = devices.some(({ role }) => role === 'desktop');
        const list: DeviceList = { unavailable: hasDesktop ? null : noDesktop, devices, playing: [] };
        if (JSON.stringify(list) !== JSON.stringify(this.#list)) {
          this.#list = list;
          onChange();
        }
      } catch (error) {
        if (!closed()) this.#log.info({ err: error }, 'the sound devices could not be listed');
      }
      await pause(POLL_MS, signal);
    }
  }
}
