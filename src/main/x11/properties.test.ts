import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCompoundText, decodeText } from './properties.ts';

describe('decodeText', () => {
  it('reads UTF-8 whatever the type says, and Latin-1 where it is not UTF-8', () => {
    expect(decodeText(Buffer.from('Nürburgring 日本', 'utf8'))).toBe('Nürburgring 日本');
    expect(decodeText(Buffer.from('Nürburgring', 'latin1'))).toBe('Nürburgring');
  });

  it('gives back every UTF-8 text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!text.startsWith('\ufeff'));
        expect(decodeText(Buffer.from(text, 'utf8'))).toBe(text);
      }),
    );
  });
});

describe('decodeCompoundText', () => {
  it('reads Latin-1, drops designations and reads UTF-8 segments', () => {
    expect(decodeCompoundText(Buffer.from('caf\xe9', 'latin1'))).toBe('café');
    expect(decodeCompoundText(Buffer.from('\x1b-Acaf\xe9', 'latin1'))).toBe('café');
    const mixed = Buffer.concat([Buffer.from('a\x1b%G'), Buffer.from('日本'), Buffer.from('\x1b%@b')]);
    expect(decodeCompoundText(mixed)).toBe('a日本b');
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeCompoundText(bytes)));
  });
});
