import { readFile } from 'node:fs/promises';
import os from 'node:os';
import type { Problem } from '../../../contract/index.ts';
import { THRESHOLDS } from './catalog.ts';

/** Bytes programs may still take without swapping; undefined where the system does not say. */
export type AvailableMemory = () => Promise<number | undefined>;

/** `MemAvailable` of proc(5): what could be had without swapping, unlike `MemFree`, which leaves out the caches. */
export function parseMeminfo(text: string): number | undefined {
  const match = /^MemAvailable:\s+(\d{1,15}) kB$/m.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]) * 1024;
}

/** On macOS the free memory is small by design and says nothing, so nothing is said. */
export function availableMemoryOn(platform: NodeJS.Platform): AvailableMemory {
  if (platform === 'linux') {
    return async () => parseMeminfo(await readFile('/proc/meminfo', 'utf8').catch(() => ''));
  }
  if (platform === 'win32') return async () => Promise.resolve(os.freemem());
  return async () => Promise.resolve(undefined);
}

/** Whether the replay buffer may grow as far as it is allowed to. */
export class MemoryWatch {
  readonly #available: AvailableMemory;
  #bytes: number | undefined;

  constructor(available: AvailableMemory) {
    this.#available = available;
  }

  /** Never rejects. */
  async look(): Promise<void> {
    this.#bytes = await this.#available().catch(() => undefined);
  }

  /** `growBytes`: what the replay buffer will still take. */
  problem(growBytes: number): Problem | null {
    if (this.#bytes === undefined || this.#bytes >= growBytes + THRESHOLDS.memoryBytes) return null;
    const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
    return {
      code: 'memory-low',
      severity: 'warning',
      message: `Only ${megabytes(this.#bytes)} of memory are free, and the replay buffer will still take ${megabytes(growBytes)}.`,
      remedy: 'Close other programs, or give the replay buffer less memory in the settings.',
    };
  }
}

/**
 * Bytes the buffer will still grow by: to its bound in bytes, or to what its bound in seconds holds at the present rate, whichever
 * comes first.
 */
export function growthOf(
  replay: { bytesHeld: number; capacityBytes: number; capacitySeconds: number },
  bitrateKbps: number | null,
): number {
  const bySeconds = bitrateKbps === null ? Number.POSITIVE_INFINITY : (replay.capacitySeconds * bitrateKbps * 1000) / 8;
  return Math.max(0, Math.min(replay.capacityBytes, bySeconds) - replay.bytesHeld);
}
