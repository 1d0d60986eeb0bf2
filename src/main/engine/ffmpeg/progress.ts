/**
 * ffmpeg's `-progress` output: lines `key=value`, a block ends with `progress=continue` or `progress=end`
 * (fftools/ffmpeg.c; captured samples in test/fixtures/progress). Through `tee`, `bitrate` and `total_size` are always N/A, and `fps`
 * and `speed` are averages since start, so neither is kept.
 */
export type ProgressBlock = {
  /** pictures encoded, repeated ones included */
  frame: number;
  dup: number;
  drop: number;
  /** encoder quantiser of the newest picture, null when not printed */
  q: number | null;
  /** media time written, seconds; null before the first packet */
  outTime: number | null;
  end: boolean;
};

const integer = (text: string | undefined): number => {
  const value = Number.parseInt(text ?? '', 10);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
};

/** `-00:00:00.033333` and `00:03:42.030000` as seconds; null for N/A. `out_time_ms` is microseconds in old versions: unused. */
export function parseOutTime(text: string | undefined): number | null {
  const match = /^(-?)(\d+):(\d{2}):(\d{2}(?:\.\d+)?)$/.exec((text ?? '').trim());
  if (!match) return null;
  const [, sign, hours, minutes, seconds] = match;
  const value = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === '-' ? -value : value;
}

export class ProgressParser {
  readonly #fields = new Map<string, string>();

  /** Takes one line; returns a block when the line completes one. */
  push(line: string): ProgressBlock | undefined {
    const at = line.indexOf('=');
    if (at <= 0) return undefined;
    const key = line.slice(0, at).trim();
    const value = line.slice(at + 1).trim();
    if (key !== 'progress') {
      if (this.#fields.size < 64) this.#fields.set(key, value);
      return undefined;
    }
    const q = Number.parseFloat(this.#fields.get('stream_0_0_q') ?? '');
    const block: ProgressBlock = {
      frame: integer(this.#fields.get('frame')),
      dup: integer(this.#fields.get('dup_frames')),
      drop: integer(this.#fields.get('drop_frames')),
      q: Number.isFinite(q) && q >= 0 ? q : null,
      outTime: parseOutTime(this.#fields.get('out_time')),
      end: value === 'end',
    };
    this.#fields.clear();
    return block;
  }
}
