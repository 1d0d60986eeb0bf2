import type { XProperty } from 'x11';
import type { X11Connection } from './connection.ts';

/** Titles and lists longer than this are cut, bytes. */
const MAX_PROPERTY_BYTES = 64 * 1024;

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true });

/** A property of any type, or undefined where the window has none. Errors: `X11Error`. */
export async function getProperty(
  connection: X11Connection,
  window: number,
  name: string,
): Promise<XProperty | undefined> {
  const atom = await connection.atom(name);
  const property = await connection.request<XProperty>((reply) =>
    connection.client.GetProperty(0, window, atom, 0, 0, MAX_PROPERTY_BYTES / 4, reply),
  );
  return property.type === 0 ? undefined : property;
}

/** A property of 32-bit values: CARDINAL, WINDOW or ATOM lists. */
export async function getNumbers(connection: X11Connection, window: number, name: string): Promise<number[]> {
  const property = await getProperty(connection, window, name);
  if (property?.format !== 32) return [];
  return Array.from({ length: property.data.length >> 2 }, (_, i) => property.data.readUInt32LE(i * 4));
}

/** A text property as it should be shown, or undefined where there is none or it is blank. */
export async function getText(connection: X11Connection, window: number, name: string): Promise<string | undefined> {
  const property = await getProperty(connection, window, name);
  if (property?.format !== 8) return undefined;
  const compound = property.type === (await connection.atom('COMPOUND_TEXT'));
  const text = tidy(compound ? decodeCompoundText(property.data) : decodeText(property.data));
  return text === '' ? undefined : text;
}

/**
 * STRING is ISO 8859-1 by the ICCCM (section 2.7.1) and UTF8_STRING is UTF-8, but many programs write UTF-8 into STRING; Latin-1 text
 * that happens to be valid UTF-8 beyond ASCII is practically unknown, so validity decides.
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

/**
 * Compound text (X Consortium, "Compound Text Encoding") as far as titles need it: the Latin-1 default, and UTF-8 between
 * `ESC % G` and `ESC % @`. Other designations are dropped, their characters read as Latin-1.
 */
export function decodeCompoundText(bytes: Uint8Array): string {
  const latin1 = Buffer.from(bytes).toString('latin1');
  return latin1
    .split('\x1b%G')
    .map((part, index) => {
      const [utf8, rest] = index === 0 ? ['', part] : splitOnce(part, '\x1b%@');
      // eslint-disable-next-line no-control-regex -- the escape sequences of ISO 2022 are control characters
      return decodeText(Buffer.from(utf8, 'latin1')) + rest.replace(/\x1b[\x20-\x2f]*[\x30-\x7e]/g, '');
    })
    .join('');
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** One line without control characters, at most 512 characters. */
function tidy(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 512);
}
