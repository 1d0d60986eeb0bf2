import type { FrameRate } from '../../../contract/index.ts';
import { WATCH } from './args.ts';

/** Pictures looked at per second; more would only cost. */
const LOOKS_PER_SECOND = 4;

/** Cuts the bytes of file descriptor 4 into whole pictures and hands on about four per second, each a copy of its own. */
export function pictureSplitter(fps: FrameRate, onPicture: (picture: Uint8Array) => void): (chunk: Uint8Array) => void {
  const every = Math.round(fps / LOOKS_PER_SECOND);
  const picture = new Uint8Array(WATCH.frameBytes);
  let filled = 0;
  let count = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + WATCH.frameBytes - filled);
      picture.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < WATCH.frameBytes) return;
      filled = 0;
      if (count++ % every === 0) onPicture(picture.slice());
    }
  };
}
