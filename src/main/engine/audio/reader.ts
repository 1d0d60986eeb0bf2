import type { AudioDevice } from '../../../contract/index.ts';
import type { Log } from '../logging/log.ts';
import { Backoff, pause } from '../process/backoff.ts';
import { startChild, type Child } from '../process/child.ts';
import { SAMPLE_RATE } from './plan.ts';

const FRAME_BYTES = 4;
const NOTHING = new Uint8Array(0);

export type ReaderDeps = {
  ffmpeg: string;
  /** ffmpeg's input options and input */
  input: readonly string[];
  env: NodeJS.ProcessEnv;
  log: Log;
  /** interleaved stereo samples, as they are heard */
  onSamples: (samples: Int16Array) => void;
  /** nothing more comes for now */
  onLost: () => void;
};

/** Everything the device hears as 16-bit stereo at 48 kHz on stdout, passed on at once. */
export const readerArgs = (input: readonly string[]): string[] => [
  ...['-hide_banner', '-nostats', '-loglevel', 'warning', '-probesize', '32', '-analyzeduration', '0'],
  ...input,
  ...['-c:a', 'pcm_s16le', '-ar', String(SAMPLE_RATE), '-ac', '2', '-f', 's16le', '-flush_packets', '1', 'pipe:1'],
];

/**
 * Reads one device with an ffmpeg of its own, so that nothing a device does can be felt by the capture; starts it again, ever less often,
 * for as long as it is wanted.
 */
export class DeviceReader {
  readonly device: AudioDevice;
  readonly #deps: ReaderDeps;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #child: Child | undefined;
  #rest: Uint8Array = NOTHING;

  constructor(device: AudioDevice, deps: ReaderDeps) {
    this.device = device;
    this.#deps = deps;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    this.#child?.kill();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { ffmpeg, input, env, log, onLost } = this.#deps;
    const { signal } = this.#closing;
    const backoff = new Backoff({ delaysMs: [100, 500, 1000, 2000, 5000], healthyMs: 5000, forever: true });
    const closed = (): boolean => signal.aborted;
    while (!closed()) {
      this.#rest = NOTHING;
      const child = startChild({
        name: 'ffmpeg sound',
        command: ffmpeg,
        args: readerArgs(input),
        env,
        onStdout: (chunk) => this.#take(chunk),
        onStderrLine: (line) => log.debug({ line }, 'ffmpeg sound'),
      });
      this.#child = child;
      const exit = await child.exited;
      this.#child = undefined;
      onLost();
      if (closed()) return;
      const wait = backoff.next(exit.ranMs);
      log.info({ device: this.device.name, code: exit.code, stderr: exit.stderr.slice(-3) }, 'a sound device ended');
      await pause(wait === 'give-up' ? 5000 : wait, signal);
    }
  }

  /** Whole frames go on; a part of one waits for its rest. */
  #take(chunk: Uint8Array): void {
    if (this.#closing.signal.aborted) return;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole = bytes.length - (bytes.length % FRAME_BYTES);
    this.#rest = bytes.subarray(whole);
    if (whole === 0) return;
    // a copy: samples have to lie on even addresses
    const aligned = new Uint8Array(bytes.subarray(0, whole));
    this.#deps.onSamples(new Int16Array(aligned.buffer));
  }
}
