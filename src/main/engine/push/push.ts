import { randomUUID } from 'node:crypto';
import {
  MAX_PUSH_TARGETS,
  StudioError,
  type PushStatus,
  type PushTarget,
  type PushTargetRequest,
  type VideoCodec,
} from '../../../contract/index.ts';
import { destinationOf, parsePushAddress } from './address.ts';
import { Pusher, type PusherDeps } from './target.ts';

export type PushDeps = Omit<PusherDeps, 'key'> & {
  keys: { get(name: string): string | undefined; set(name: string, text: string): Promise<void> };
  /** Errors: `folder-not-writable`. */
  save: (targets: PushTarget[]) => Promise<void>;
};

const keyName = (id: string): string => `push-${id}`;

/** The servers the stream is pushed to. Their list is part of the settings, their keys are in the secret store. */
export class Push {
  readonly #deps: PushDeps;
  readonly #pushers = new Map<string, Pusher>();
  #codec: VideoCodec | undefined;

  constructor(targets: readonly PushTarget[], deps: PushDeps) {
    this.#deps = deps;
    for (const target of targets) this.#add(target);
  }

  /** To be called once, before anything is live. Never rejects. */
  async start(): Promise<void> {
    await this.#deps.files.clear();
  }

  get statuses(): PushStatus[] {
    return [...this.#pushers.values()].map(({ status }) => status);
  }

  /** The codec of what is live now, undefined when nothing is. */
  follow(codec: VideoCodec | undefined): void {
    this.#codec = codec;
    for (const pusher of this.#pushers.values()) pusher.follow(codec);
  }

  /**
   * Adds a target (switched off), or changes the one of that id. A key belongs to the server it was entered for: with another address it
   * is forgotten unless it comes with it. Errors: `bad-request`, `not-found`, `conflict` when there are eight, `folder-not-writable`.
   */
  async set({ id: given, name, url, key }: PushTargetRequest): Promise<{ id: string }> {
    const before = given === undefined ? undefined : this.#get(given).target;
    if (!before && this.#pushers.size >= MAX_PUSH_TARGETS)
      throw new StudioError(
        'conflict',
        `There are ${MAX_PUSH_TARGETS} addresses already.`,
        'Delete one of them, or change it.',
      );
    const id = before?.id ?? randomUUID().slice(0, 8);
    const kept = before && sameServer(before.url, url) ? (this.#deps.keys.get(keyName(id)) ?? '') : '';
    const nextKey = (key ?? kept).trim();
    destinationOf(parsePushAddress(url), nextKey);
    const target: PushTarget = { id, name, url, enabled: before?.enabled ?? false };
    await this.#deps.keys.set(keyName(id), nextKey);
    await this.#save((all) => (before ? all.map((other) => (other.id === id ? target : other)) : [...all, target]));
    await this.#replace(id, target);
    return { id };
  }

  /** Errors: `not-found`, `folder-not-writable`. */
  async enable(id: string, enabled: boolean): Promise<void> {
    const pusher = this.#get(id);
    await this.#save((all) => all.map((other) => (other.id === id ? { ...other, enabled } : other)));
    pusher.enable(enabled);
  }

  /** Errors: `not-found`, `folder-not-writable`. */
  async delete(id: string): Promise<void> {
    this.#get(id);
    await this.#save((all) => all.filter((other) => other.id !== id));
    await this.#replace(id, undefined);
    await this.#deps.keys.set(keyName(id), '');
  }

  /** Resolves when nothing of it is left. */
  async close(): Promise<void> {
    await Promise.all([...this.#pushers.values()].map(async (pusher) => pusher.close()));
    await this.#deps.files.clear();
  }

  #get(id: string): Pusher {
    const pusher = this.#pushers.get(id);
    if (!pusher) throw new StudioError('not-found', 'There is no such address.', 'Ask GET /api/push for the list.');
    return pusher;
  }

  async #save(change: (all: PushTarget[]) => PushTarget[]): Promise<void> {
    await this.#deps.save(change([...this.#pushers.values()].map(({ target }) => target)));
  }

  #add(target: PushTarget): void {
    const pusher = new Pusher(target, this.#deps.keys.get(keyName(target.id)) ?? '', this.#deps);
    this.#pushers.set(target.id, pusher);
    pusher.follow(this.#codec);
  }

  /** In its place in the list, so that it does not move; the old one is gone first, or the server would refuse the new one. */
  async #replace(id: string, replacement: PushTarget | undefined): Promise<void> {
    await this.#pushers.get(id)?.close();
    if (replacement) this.#add(replacement);
    else this.#pushers.delete(id);
    this.#deps.onChange();
  }
}

const sameServer = (before: string, after: string): boolean => {
  const [a, b] = [parsePushAddress(before), parsePushAddress(after)];
  return a.scheme === b.scheme && a.host === b.host && a.port === b.port;
};
