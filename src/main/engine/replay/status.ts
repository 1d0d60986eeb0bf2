import type { EpochInfo, ReplayStatus } from '../../../contract/replay.ts';
import { TICKS_PER_SECOND } from '../transport/timestamps.ts';
import { byEpoch, gopTicks, wallAt, type Gop } from './gops.ts';

/** Groups the present bitrate is taken from. */
const RATE_GOPS = 10;

function seconds(gops: readonly Gop[]): number {
  return gops.reduce((sum, gop) => sum + gopTicks(gop), 0) / TICKS_PER_SECOND;
}

function bytes(gops: readonly Gop[], head: number): number {
  const [first, last] = [gops[0], gops.at(-1)];
  return first && last ? (last.closed?.end ?? head) - first.start : 0;
}

/** Seconds that `maxBytes` can hold at the bitrate of the newest epoch's last groups; null before the first whole one. */
function estimate(gops: readonly Gop[], maxBytes: number): number | null {
  const epoch = gops.at(-1)?.epoch;
  const recent = gops.filter((gop) => gop.epoch === epoch && gop.closed !== null).slice(-RATE_GOPS);
  const [time, size] = [seconds(recent), bytes(recent, 0)];
  return time > 0 && size > 0 ? (maxBytes * time) / size : null;
}

/** What is held: `gops` oldest first, `head` the end of the one being recorded (which exists when `live`). */
export function ringStatus(
  gops: readonly Gop[],
  now: { head: number; live: boolean },
  bounds: { maxBytes: number; maxSeconds: number },
): ReplayStatus {
  const epochs: EpochInfo[] = [];
  for (const run of byEpoch(gops)) {
    const first = run[0];
    if (!first) continue;
    const from = wallAt(first.epoch, first.firstPts);
    const held = seconds(run);
    const { id, codec } = first.epoch;
    epochs.push({ id, codec, from, to: from + held, seconds: held, bytes: bytes(run, now.head) });
  }
  return {
    secondsHeld: epochs.reduce((sum, epoch) => sum + epoch.seconds, 0),
    liveSeconds: now.live ? (epochs.at(-1)?.seconds ?? 0) : 0,
    bytesHeld: epochs.reduce((sum, epoch) => sum + epoch.bytes, 0),
    capacityBytes: bounds.maxBytes,
    capacitySeconds: bounds.maxSeconds,
    estimatedSeconds: estimate(gops, bounds.maxBytes),
    epochs,
  };
}
