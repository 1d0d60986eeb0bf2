import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { runToEnd } from '../process/child.ts';
import { secretPreset } from './args.ts';

const ASK_MS = 10_000;

/** What an ffmpeg says of itself that matters here. */
export type PushAbilities = {
  /** protocols it writes to */
  readonly protocols: ReadonlySet<string>;
  /** it reads options of an output from a file */
  readonly presets: boolean;
};

/** Asks an ffmpeg, once for each. Errors: `internal` when it cannot be run. */
export class AbilityCache {
  readonly #known = new Map<string, Promise<PushAbilities>>();

  async of({ ffmpeg }: Pick<Ffmpeg, 'ffmpeg'>): Promise<PushAbilities> {
    const known = this.#known.get(ffmpeg) ?? askAbilities(ffmpeg);
    this.#known.set(ffmpeg, known);
    known.catch(() => this.#known.delete(ffmpeg));
    return known;
  }
}

async function askAbilities(ffmpeg: string): Promise<PushAbilities> {
  const ask = async (...args: string[]): Promise<string> =>
    (await runToEnd(ffmpeg, ['-hide_banner', ...args], { timeoutMs: ASK_MS })).stdout.toString('utf8');
  const [protocols, help] = await Promise.all([ask('-protocols'), ask('-h', 'long')]);
  return { protocols: outputProtocols(protocols), presets: /^-fpre\s/m.test(help) };
}

/** The names under `Output:` in what `ffmpeg -protocols` prints (5.1.9). */
export function outputProtocols(text: string): Set<string> {
  const [, after = ''] = text.split(/^Output:$/m);
  return new Set(
    after
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
  );
}

/** Small files that ffmpeg reads when a push starts, in a folder of their own (mode 0700). */
export class PushFiles {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  #roots: Promise<string> | undefined;

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  /** A file of mode 0600 with a secret option; `remove` as soon as ffmpeg has read it. Errors: the system's own. */
  async secret(option: readonly [string, string]): Promise<{ file: string; remove: () => void }> {
    await this.#prepare();
    const file = path.join(this.#folder, `${randomUUID()}.ffpreset`);
    await writeFile(file, secretPreset(option), { mode: 0o600, flag: 'wx' });
    return { file, remove: () => rmSync(file, { force: true }) };
  }

  /**
   * The certificates Node trusts, and those NODE_EXTRA_CA_CERTS names: ffmpeg by itself checks no certificate (5.1.9, measured), and where
   * it has the system's differs from build to build. Errors: the system's own.
   */
  async roots(): Promise<string> {
    this.#roots ??= this.#writeRoots();
    this.#roots.catch(() => {
      this.#roots = undefined;
    });
    return this.#roots;
  }

  async #writeRoots(): Promise<string> {
    await this.#prepare();
    const file = path.join(this.#folder, 'roots.pem');
    const extra = this.#env['NODE_EXTRA_CA_CERTS'] ?? '';
    const more = extra === '' ? '' : await readFile(extra, 'utf8').catch(() => '');
    await writeFile(file, `${[...tls.rootCertificates, more].join('\n')}\n`, { mode: 0o600 });
    return file;
  }

  async #prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** Removes all of it, also what a run that was killed left. Never rejects. */
  async clear(): Promise<void> {
    this.#roots = undefined;
    await rm(this.#folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
