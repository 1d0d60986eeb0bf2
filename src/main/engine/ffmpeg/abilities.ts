import { runToEnd } from '../process/child.ts';
import type { Ffmpeg } from './locate.ts';
import { parseFilters } from './listings.ts';

/** How the listings are asked for; `runToEnd`, or a double in tests. */
export type AskProgram = (
  command: string,
  args: readonly string[],
  options: { timeoutMs: number; signal?: AbortSignal },
) => Promise<{ code: number | null; stdout: Buffer; stderr: readonly string[] }>;

const ASK_MS = 8000;
const FRESH_MS = 5000;
const MAX_KEPT = 32;

/** What an ffmpeg can do and sees, asked of the binary itself when it is first needed. Device listings are kept for five seconds. */
export class Abilities {
  readonly #ask: AskProgram;
  readonly #filters = new Map<string, Promise<ReadonlySet<string>>>();
  readonly #texts = new Map<string, { at: number; text: Promise<string> }>();

  constructor(ask: AskProgram = runToEnd) {
    this.#ask = ask;
  }

  /** Names of its filters; empty when it does not say. */
  async filters({ ffmpeg, version }: Ffmpeg): Promise<ReadonlySet<string>> {
    const key = `${ffmpeg} ${version}`;
    const known = this.#filters.get(key);
    if (known) return known;
    const asked = this.#ask(ffmpeg, ['-hide_banner', '-filters'], { timeoutMs: ASK_MS }).then(
      ({ stdout }) => parseFilters(stdout.toString('utf8')),
      () => new Set<string>(),
    );
    this.#filters.set(key, asked);
    return asked;
  }

  /** What ffmpeg prints to stderr for these arguments, whatever its exit code: listings end in an error. Empty when it cannot be asked. */
  async listing({ ffmpeg }: Ffmpeg, args: readonly string[], signal?: AbortSignal): Promise<string> {
    const key = JSON.stringify([ffmpeg, args]);
    const known = this.#texts.get(key);
    if (known && performance.now() - known.at < FRESH_MS) return known.text;
    const text = this.#ask(ffmpeg, ['-hide_banner', ...args], {
      timeoutMs: ASK_MS,
      ...(signal ? { signal } : {}),
    }).then(
      ({ stderr }) => stderr.join('\n'),
      () => '',
    );
    this.#texts.delete(key);
    this.#texts.set(key, { at: performance.now(), text });
    const [oldest] = this.#texts.keys();
    if (this.#texts.size > MAX_KEPT && oldest !== undefined) this.#texts.delete(oldest);
    return text;
  }
}
