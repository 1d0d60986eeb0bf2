import type { ReplayStatus } from '../../../../contract/index.ts';
import type { Body } from '../../replay/body.ts';
import type { ReplayRing } from '../../replay/ring.ts';

const MAX_BODIES = 64;
/** A ring of at most this share of its bound in bytes is certain to be held: memory comes in slabs. */
const SURE_SHARE = 15 / 16;
const MAX_SPARE_SECONDS = 5;
const SPARE_SHARE = 0.1;

/**
 * How many of the newest seconds will still be held a little later (up to five seconds, a tenth of a small buffer). A player that
 * opens an address reads its first bytes more than once; in a full buffer the oldest would be gone by then.
 */
export function lastingSeconds({ capacitySeconds, estimatedSeconds }: ReplayStatus): number {
  const capacity = Math.min(capacitySeconds, (estimatedSeconds ?? Number.POSITIVE_INFINITY) * SURE_SHARE);
  return capacity - Math.min(MAX_SPARE_SECONDS, capacity * SPARE_SHARE);
}

/**
 * The bodies that have an address of their own. Which bytes belong to an address is settled when it is given out (where pictures are
 * whole, where epochs are joined), so it stays true while the ring moves; once nothing of it is held it is forgotten.
 */
export class Bodies {
  readonly #ring: ReplayRing;
  readonly #bodies = new Map<string, Body>();

  constructor(ring: ReplayRing) {
    this.#ring = ring;
  }

  /** The address of the newest `seconds` (or all), as `<from>-<to>` in absolute offsets of the ring; null while nothing is held. */
  address(seconds: number | undefined): string | null {
    const lasting = lastingSeconds(this.#ring.status());
    const body = this.#ring.body({ lastSeconds: Math.min(seconds ?? lasting, lasting) });
    if (!body) return null;
    const key = `${body.from}-${body.to}`;
    this.#keep(key, this.#bodies.get(key) ?? body);
    return key;
  }

  get(key: string): Body | undefined {
    const body = this.#bodies.get(key);
    if (body) this.#keep(key, body);
    return body;
  }

  /** The most recently used are kept. */
  #keep(key: string, body: Body): void {
    this.#bodies.delete(key);
    for (const [old, { alive }] of this.#bodies) if (!alive) this.#bodies.delete(old);
    for (const old of this.#bodies.keys()) {
      if (this.#bodies.size < MAX_BODIES) break;
      this.#bodies.delete(old);
    }
    this.#bodies.set(key, body);
  }
}
