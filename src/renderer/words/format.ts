/** Seconds as a running time: `1:34`, `1:02:05`. Fractions are cut off, never rounded up: nothing is claimed early. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

const MIB = 1024 * 1024;

/** A size in the unit the settings use: 1 MB is 1024 × 1024 bytes here. */
export function size(bytes: number): string {
  if (bytes >= 10_000 * MIB) return `${(bytes / MIB / 1024).toFixed(1)} GB`;
  const megabytes = bytes / MIB;
  if (megabytes >= 10 || bytes === 0) return `${Math.round(megabytes)} MB`;
  return megabytes >= 0.1 ? `${megabytes.toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} kB`;
}

/** A length as people say it: `60 s`, `2 min`, `1 min 30 s`. */
export function span(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  const rest = whole % 60;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}

/** How long ago, both in Unix seconds. */
export function age(now: number, then: number): string {
  const seconds = Math.max(0, now - then);
  if (seconds < 45) return 'just now';
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.round(seconds / 3600);
  if (hours < 24) return `${hours} h ago`;
  const days = Math.round(seconds / 86_400);
  return days === 1 ? 'yesterday' : `${days} days ago`;
}

export type Measure = { readonly value: string; readonly unit: string };

/** A bit rate as a number and its unit. */
export function bitrate(kbps: number): Measure {
  return kbps >= 1000
    ? { value: (kbps / 1000).toFixed(1), unit: 'Mbit/s' }
    : { value: String(Math.round(kbps)), unit: 'kbit/s' };
}

export const count = (n: number, one: string, many = `${one}s`): string =>
  n === 0 ? `no ${many}` : `${n} ${n === 1 ? one : many}`;

/** A picture's size: `1920 × 1080`. */
export const dimensions = (width: number, height: number): string => `${width} × ${height}`;

/** The time of day of a clock value in milliseconds. */
export const timeOfDay = (at: number, withSeconds = true): string =>
  new Date(at).toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    ...(withSeconds ? { second: '2-digit' } : {}),
  });
