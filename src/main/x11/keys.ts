import type { XEvent, XKeyEvent } from 'x11';
import type { KeyCombination } from './accelerator.ts';
import type { X11Connection } from './connection.ts';
import { Listeners } from './connection.ts';
import { X11Error } from './errors.ts';
import { bindKey } from './keymap.ts';
import type { BoundKey, Keymap } from './keymap.ts';

export interface KeyGrab {
  release(): Promise<void>;
}

interface Held {
  readonly combination: KeyCombination;
  readonly presses: Listeners<undefined>;
  bound: BoundKey;
  /** the keyboard changed so that the key is gone, or another program holds its new place */
  lapsed: boolean;
}

/** A key that repeats sends a release and a press of the same moment; nobody releases and presses again within this time, ms. */
const REPEAT_MS = 5;
const ASYNCHRONOUS = 1;
const POINTER_MAPPING = 2;
/** A keyboard change arrives as a burst of notices. */
const REMAP_QUIET_MS = 100;

/** Keys grabbed on every root window of one connection. */
export class KeyGrabs {
  readonly #connection: X11Connection;
  readonly #held = new Set<Held>();
  readonly #releasedAt = new Map<number, number>();
  #keymap: Promise<Keymap> | undefined;
  #remapTimer: NodeJS.Timeout | undefined;
  /** grabs, releases and remaps one after the other: each is several requests that must not interleave */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(connection: X11Connection) {
    this.#connection = connection;
    connection.onEvent((event) => this.#onEvent(event));
  }

  /**
   * Calls back once per press of the key, whatever NumLock, CapsLock and ScrollLock are, however long it is held. Errors: `X11Error`
   * `unknown-key`, `taken`, `lost`, `timeout`, `closed`.
   */
  grab(combination: KeyCombination, onPress: () => void): Promise<KeyGrab> {
    return this.#inTurn(async () => {
      const bound = bindKey(await this.#readKeymap(), combination);
      if (!bound) throw new X11Error('unknown-key', 'This keyboard has no such key.');
      if ([...this.#held].some((other) => overlap(other.bound, bound)))
        throw new X11Error('taken', 'The key is already in use here.');
      await this.#grabAll(bound);
      const presses = new Listeners<undefined>();
      presses.add(onPress);
      const held: Held = { combination, presses, bound, lapsed: false };
      this.#held.add(held);
      return {
        release: () => {
          presses.clear();
          return this.#inTurn(async () => {
            if (!this.#held.delete(held) || held.lapsed) return;
            await this.#ungrabAll(held.bound);
          });
        },
      };
    });
  }

  stop(): void {
    clearTimeout(this.#remapTimer);
  }

  #onEvent(event: XEvent): void {
    switch (event.name) {
      case 'KeyPress':
        this.#pressed(event);
        return;
      case 'KeyRelease':
        this.#releasedAt.set(event.keycode, event.time);
        return;
      case 'MappingNotify':
        if (event.request === POINTER_MAPPING) return;
        this.#keymap = undefined;
        clearTimeout(this.#remapTimer);
        this.#remapTimer = setTimeout(() => {
          this.#inTurn(() => this.#remap()).catch(() => undefined);
        }, REMAP_QUIET_MS);
        return;
      default:
    }
  }

  #pressed({ keycode, time, buttons }: XKeyEvent): void {
    const releasedAt = this.#releasedAt.get(keycode);
    // Server time wraps at 2^32 ms.
    if (releasedAt !== undefined && (time - releasedAt) >>> 0 <= REPEAT_MS) return;
    for (const { bound, presses } of [...this.#held])
      if (bound.keycodes.includes(keycode) && (buttons & bound.relevant) === bound.modifiers) presses.emit(undefined);
  }

  /** Moves the grabs that a new keyboard layout moved, and only those: between two grabs a press would be missed. */
  async #remap(): Promise<void> {
    const keymap = await this.#readKeymap();
    for (const held of this.#held) {
      const bound = bindKey(keymap, held.combination);
      if (bound && !held.lapsed && JSON.stringify(bound) === JSON.stringify(held.bound)) continue;
      if (!held.lapsed) await this.#ungrabAll(held.bound);
      held.lapsed = true;
      if (!bound) continue;
      held.bound = bound;
      held.lapsed = !(await this.#grabAll(bound).then(
        () => true,
        () => false,
      ));
    }
  }

  #readKeymap(): Promise<Keymap> {
    const { client, display } = this.#connection;
    const first = display.min_keycode;
    const asked = (this.#keymap ??= Promise.all([
      this.#connection.request<number[][]>((reply) =>
        client.GetKeyboardMapping(first, display.max_keycode - first + 1, reply),
      ),
      this.#connection.request<number[][]>((reply) => client.GetModifierMapping(reply)),
    ]).then(([keysyms, modifiers]) => ({ firstKeycode: first, keysyms, modifiers })));
    asked.catch(() => {
      if (this.#keymap === asked) this.#keymap = undefined;
    });
    return asked;
  }

  async #grabAll(bound: BoundKey): Promise<void> {
    const { client } = this.#connection;
    const results = await Promise.allSettled(
      this.#places(bound).map(({ root, keycode, mask }) =>
        this.#connection.checked(() => client.GrabKey(root, 0, mask, keycode, ASYNCHRONOUS, ASYNCHRONOUS)),
      ),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (!failed) return;
    if (!this.#connection.ended) await this.#ungrabAll(bound);
    throw failed.reason;
  }

  async #ungrabAll(bound: BoundKey): Promise<void> {
    const { client } = this.#connection;
    await Promise.allSettled(
      this.#places(bound).map(({ root, keycode, mask }) =>
        this.#connection.checked(() => client.UngrabKey(root, keycode, mask)),
      ),
    );
  }

  #places({ keycodes, masks }: BoundKey): { root: number; keycode: number; mask: number }[] {
    return this.#connection.display.screen.flatMap(({ root }) =>
      keycodes.flatMap((keycode) => masks.map((mask) => ({ root, keycode, mask }))),
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

function overlap(a: BoundKey, b: BoundKey): boolean {
  return a.modifiers === b.modifiers && a.keycodes.some((keycode) => b.keycodes.includes(keycode));
}
