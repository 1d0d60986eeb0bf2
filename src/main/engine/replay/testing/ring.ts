import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ReplayStatus } from '../../../../contract/replay.ts';
import type { RingProblem } from '../counters.ts';
import { ReplayRing, type RingOptions } from '../ring.ts';
import { joined } from './stream.ts';

/** More for a longer run of the fuzzers. */
export const runs = Number(process.env['PITWALL_FUZZ_RUNS'] ?? 40);

export const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`../../../../../test/fixtures/ts/${name}`, import.meta.url));

/** A ring with a source begun, the clock at 1000, and the problems it reported. */
export function ringOf(options: Partial<RingOptions> = {}): { ring: ReplayRing; problems: RingProblem[] } {
  const problems: RingProblem[] = [];
  const ring = new ReplayRing({
    maxBytes: 8 * 1024 * 1024,
    maxSeconds: 3600,
    now: () => 1000,
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  ring.beginEpoch({ sourceName: 'test' });
  return { ring, problems };
}

export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What must be true of any ring after any input. */
export function checkInvariants(ring: ReplayRing, maxBytes: number): void {
  const status = ReplayStatus.parse(ring.status());
  const bound = Math.max(maxBytes, 16 * 188);
  assert.ok(status.bytesHeld <= bound, `holds ${status.bytesHeld} of ${bound} bytes`);
  assert.ok(ring.allocatedBytes <= bound, `allocated ${ring.allocatedBytes} of ${bound} bytes`);
  let seconds = 0;
  for (const snapshot of ring.snapshot('all')) {
    const bytes = joined(snapshot.chunks());
    assert.equal(bytes.length, snapshot.bytes);
    assert.equal(bytes.length % 188, 0);
    assert.ok(bytes.length > 0, 'an empty snapshot');
    assert.ok(
      bytes.every((byte, i) => i % 188 !== 0 || byte === 0x47),
      'a packet without sync byte',
    );
    assert.ok(snapshot.seconds > 0, `a snapshot of ${snapshot.seconds} s`);
    seconds += snapshot.seconds;
    snapshot.release();
  }
  assert.ok(Math.abs(status.secondsHeld - seconds) < 1e-5, `says ${status.secondsHeld} s, gives ${seconds} s`);
}
