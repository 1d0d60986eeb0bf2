import type { AudioDevice } from '../../../contract/index.ts';
import type { Log } from '../logging/log.ts';
import { Backoff, pause } from '../process/backoff.ts';
import { startChild, type Child } from '../process/child.ts';
import { SAMPLE_RATE } from './plan.ts';

const FRAME_BYTES = 4;
const NOTHING = new Uint8Array(0);
/** Stamps and samples come by two pipes; one of them may be so far ahead, pieces. */
const MOST_AHEAD = 200;

export type ReaderDeps = {
  ffmpeg: string;
  /** ffmpeg's input options and input */
  input: readonly string[];
  /** the input stamps what it delivers with the time of day it was heard at */
  stamped: boolean;
  env: NodeJS.ProcessEnv;
  log: Log;
  /** interleaved stereo samples, and when the last of them was heard if the input says so, Unix seconds */
  onSamples: (samples: Int16Array, heardAt: number | undefined) => void;
  /** nothing more comes for now */
  onLost: () => void;
};

/**
 * Everything the device hears as 16-bit stereo at 48 kHz on stdout, passed on at once. What is stamped comes as it is, and file descriptor 3
 * says of each piece when it began and how many bytes it has, as `framecrc` writes it.
 */
function readerArgs(input: readonly string[], stamped: boolean): string[] {
  const quick = ['-hide_banner', '-nostats', '-loglevel', 'error', '-probesize', '32', '-analyzeduration', '0'];
  if (stamped) {
    const out = ['-map', '0:a:0', '-c', 'copy', '-flush_packets', '1'];
    // stamps of the first pieces run backward now and then, and raw samples with such a stamp are dropped: they are numbered instead
    const samples = [...out, '-bsf:a', 'setts=ts=N', '-f', 's16le', 'pipe:1'];
    return [...quick, '-copyts', ...input, ...samples, ...out, '-f', 'framecrc', 'pipe:3'];
  }
  const format = ['-c:a', 'pcm_s16le', '-ar', String(SAMPLE_RATE), '-ac', '2', '-f', 's16le'];
  return [...quick, ...input, ...format, '-flush_packets', '1', 'pipe:1'];
}

type Stamp = { seconds: number; bytes: number };

/** The lines of `framecrc` (ffmpeg 5.1): `#tb 0: 1/1000000` once, then `stream, dts, pts, duration, bytes, checksum`. */
export class StampParser {
  #timeBase = 1e-6;

  /** When a piece began, Unix seconds, and its bytes. */
  push(line: string): Stamp | undefined {
    const [, over, under] = /^#tb 0: (\d+)\/(\d+)/.exec(line) ?? [];
    if (over !== undefined) this.#timeBase = Number(over) / Number(under);
    const [, pts, bytes] = /^0,\s*-?\d+,\s*(\d+),\s*\d+,\s*(\d+),/.exec(line) ?? [];
    return pts === undefined ? undefined : { seconds: Number(pts) * this.#timeBase, bytes: Number(bytes) };
  }
}

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
  #stamps: Stamp[] = [];

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
    const { ffmpeg, input, stamped, env, log, onLost } = this.#deps;
    const { signal } = this.#closing;
    const closed = (): boolean => signal.aborted;
    const backoff = new Backoff({ delaysMs: [100, 500, 1000, 2000, 5000], healthyMs: 5000, forever: true });
    while (!closed()) {
      this.#rest = NOTHING;
      this.#stamps = [];
      const parser = new StampParser();
      const child = startChild({
        name: 'ffmpeg sound',
        command: ffmpeg,
        args: readerArgs(input, stamped),
        env,
        onStdout: (chunk) => {
          this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
          if (stamped) this.#match();
          else this.#emit(this.#rest.length - (this.#rest.length % FRAME_BYTES), undefined);
        },
        ...(stamped
          ? {
              onControlLine: (line) => {
                const stamp = parser.push(line);
                if (!stamp) return;
                this.#stamps.push(stamp);
                this.#match();
              },
            }
          : {}),
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

  /** Hands on every piece whose samples and stamp are there. */
  #match(): void {
    if (this.#stamps.length > MOST_AHEAD || this.#rest.length > MOST_AHEAD * SAMPLE_RATE) {
      this.#child?.kill();
      return;
    }
    for (;;) {
      const [stamp] = this.#stamps;
      if (!stamp || stamp.bytes > this.#rest.length) return;
      this.#stamps.shift();
      this.#emit(stamp.bytes, stamp.seconds + stamp.bytes / FRAME_BYTES / SAMPLE_RATE);
    }
  }

  #emit(bytes: number, heardAt: number | undefined): void {
    if (bytes === 0 || this.#closing.signal.aborted) return;
    // a copy: samples have to lie on even addresses
    const aligned = new Uint8Array(this.#rest.subarray(0, bytes));
    this.#rest = this.#rest.subarray(bytes);
    this.#deps.onSamples(new Int16Array(aligned.buffer), heardAt);
  }
}
