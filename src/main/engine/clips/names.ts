const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
const MAX_TITLE = 80;

/** A title as a part of a file name on every system: no separators, control characters, trailing dots or reserved names. */
export function sanitizeTitle(title: string): string {
  const clean = title
    .normalize('NFC')
    // eslint-disable-next-line no-control-regex -- control characters are exactly what must go
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069<>:"/\\|?*]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const cut = Array.from(clean)
    .slice(0, MAX_TITLE)
    .join('')
    .replace(/[. ]+$/, '')
    .replace(/^[. -]+/, '');
  if (cut === '') return 'Clip';
  return RESERVED.test(cut) ? `_${cut}` : cut;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-20 18.03.12 Assetto Corsa`, local time; `at` in Unix seconds. */
export function clipBaseName(at: number, title: string): string {
  const date = new Date(at * 1000);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}.${two(date.getMinutes())}.${two(date.getSeconds())} ${sanitizeTitle(title)}`;
}

/** `NAME.mp4`, then `NAME (2).mp4`, … */
export const numbered = (base: string, count: number, extension: string): string =>
  count === 1 ? `${base}.${extension}` : `${base} (${count}).${extension}`;
