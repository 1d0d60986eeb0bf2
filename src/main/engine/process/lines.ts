import type { Readable } from 'node:stream';

const MAX_LINE = 16 * 1024;

/** Splits text that arrives in arbitrary pieces into lines (`\n`, `\r` or both); an overlong line is cut, never kept growing. */
export class LineSplitter {
  #rest = '';

  push(text: string): string[] {
    const parts = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = (parts.pop() ?? '').slice(0, MAX_LINE);
    return parts.filter((line) => line.length > 0);
  }

  /** What came after the last line end. */
  end(): string[] {
    const last = this.#rest;
    this.#rest = '';
    return last.length > 0 ? [last] : [];
  }
}

/** Calls `onLine` for every line of a stream; the stream's own errors are the process's exit, so they are ignored here. */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  const splitter = new LineSplitter();
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => splitter.push(text).forEach(onLine));
  stream.on('end', () => splitter.end().forEach(onLine));
  stream.on('error', () => undefined);
}
