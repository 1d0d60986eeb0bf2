import { readFile } from 'node:fs/promises';
import { writeFile } from 'atomically';
import { z } from 'zod';
import { StudioError } from '../../../contract/index.ts';
import type { SecretBox } from '../host.ts';
import type { Log } from '../logging/log.ts';
import { within } from '../process/child.ts';

const BOX_MS = 5000;

/** `sealed` by the system's own protection (base64), or `plain` where there is none. */
const Kept = z.union([z.strictObject({ sealed: z.base64() }), z.strictObject({ plain: z.string().max(4096) })]);
const SecretsFile = z.object({ version: z.literal(1), secrets: z.record(z.string().max(64), Kept) });
type Secrets = Readonly<Record<string, z.infer<typeof Kept>>>;

/**
 * Keys of other services, by name, in one file of mode 0600, each sealed by the system where the shell can do that (`Host.secrets`). They
 * are given to nobody but the part of the engine that needs them. What cannot be opened any more (another user's, a new key ring) stays
 * in the file until it is replaced, and counts as absent.
 */
export class SecretStore {
  readonly #file: string;
  readonly #box: SecretBox | undefined;
  readonly #open: Map<string, string>;
  #kept: Secrets;

  private constructor(file: string, box: SecretBox | undefined, kept: Secrets, open: Map<string, string>) {
    this.#file = file;
    this.#box = box;
    this.#kept = kept;
    this.#open = open;
  }

  /** Never rejects: what cannot be read is logged, without its content. */
  static async load(file: string, found: SecretBox | undefined, log: Log): Promise<SecretStore> {
    const box = found && (await isUsable(found)) ? found : undefined;
    const kept = await readSecrets(file, log);
    const open = new Map<string, string>();
    for (const [name, secret] of Object.entries(kept)) {
      try {
        if ('plain' in secret) open.set(name, secret.plain);
        else if (box) open.set(name, await box.open(Buffer.from(secret.sealed, 'base64')));
      } catch {
        log.warn({ name }, 'a kept key could not be opened; enter it again');
      }
    }
    return new SecretStore(file, box, kept, open);
  }

  get(name: string): string | undefined {
    return this.#open.get(name);
  }

  /** An empty text forgets it. Errors: `folder-not-writable`; what was kept before stays then. */
  async set(name: string, text: string): Promise<void> {
    const { [name]: _before, ...others } = this.#kept;
    const next: Secrets = text === '' ? others : { ...others, [name]: await this.#seal(text) };
    if (text === '' && !(name in this.#kept)) return;
    try {
      await writeFile(this.#file, `${JSON.stringify({ version: 1, secrets: next }, null, 2)}\n`, { mode: 0o600 });
    } catch (cause) {
      throw new StudioError(
        'folder-not-writable',
        'The key could not be saved.',
        'Check that the data folder can be written to.',
        { cause },
      );
    }
    this.#kept = next;
    if (text === '') this.#open.delete(name);
    else this.#open.set(name, text);
  }

  async #seal(text: string): Promise<z.infer<typeof Kept>> {
    if (!this.#box) return { plain: text };
    return { sealed: Buffer.from(await this.#box.seal(text)).toString('base64') };
  }
}

/** A key ring may wait for its password: the studio does not. */
async function isUsable(box: SecretBox): Promise<boolean> {
  let available = false;
  const asked = box.available().then(
    (answer) => {
      available = answer;
    },
    () => undefined,
  );
  await within(asked, BOX_MS);
  return available;
}

async function readSecrets(file: string, log: Log): Promise<Secrets> {
  try {
    const text = await readFile(file, 'utf8');
    return SecretsFile.parse(JSON.parse(text)).secrets;
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    // not the error itself: a parser repeats what it was given
    if (!isMissing) log.warn({ file }, 'the kept keys could not be read; enter them again');
    return {};
  }
}
