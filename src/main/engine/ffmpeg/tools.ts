import { StudioError, type Problem } from '../../../contract/index.ts';
import type { Log } from '../logging/log.ts';
import { locateFfmpeg, type Ffmpeg } from './locate.ts';

/** The ffmpeg in use. While there is none it is looked for again at every need: it may just have been installed. */
export class FfmpegTools {
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: Log;
  readonly #onChange: () => void;
  #found: Ffmpeg | undefined;
  #missing: StudioError | undefined;

  constructor(env: NodeJS.ProcessEnv, log: Log, onChange: () => void) {
    this.#env = env;
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Errors: `ffmpeg-missing`. */
  async get(): Promise<Ffmpeg> {
    if (this.#found) return this.#found;
    try {
      this.#found = await locateFfmpeg(this.#env, this.#log);
      this.#missing = undefined;
      return this.#found;
    } catch (thrown) {
      if (thrown instanceof StudioError) {
        if (!this.#missing) this.#log.warn({ err: thrown }, thrown.message);
        this.#missing = thrown;
      }
      throw thrown;
    } finally {
      this.#onChange();
    }
  }

  /** What to tell the user while there is none. */
  problem(): Problem | undefined {
    if (!this.#missing) return undefined;
    return {
      code: 'ffmpeg-missing',
      severity: 'error',
      message: this.#missing.message,
      remedy: this.#missing.remedy,
    };
  }
}
