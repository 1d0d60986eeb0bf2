import { TS_PACKET_BYTES, pidOf } from '../../transport/packet.ts';
import { shiftTimes } from '../splice.ts';
import { StreamBuilder } from './stream.ts';

/** Large pictures fast: 30 per second, a keyframe with PAT and PMT every 30. Each kind is built once, then only renumbered. */
export function pictures(): (index: number, size: number) => Uint8Array {
  const templates = new Map<string, Uint8Array>();
  const counters = new Uint8Array(8192);
  return (index, size) => {
    const key = index % 30 === 0;
    const name = `${key} ${size}`;
    const stream = new StreamBuilder();
    const template =
      templates.get(name) ?? (key ? stream.psi() : stream).video({ key, pts: 0, size, told: size < 60_000 }).take();
    templates.set(name, template);
    const bytes = Uint8Array.from(template);
    for (let p = 0; p < bytes.length; p += TS_PACKET_BYTES) {
      const pid = pidOf(bytes, p);
      bytes[p + 3] = ((bytes[p + 3] ?? 0) & 0xf0) | ((counters[pid] ?? 0) & 15);
      counters[pid] = (counters[pid] ?? 0) + 1;
      shiftTimes(bytes, p, index * 3000);
    }
    return bytes;
  };
}
