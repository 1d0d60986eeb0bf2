import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NalScanner } from './nal.ts';
import { carriesStuffing, payloadStart, payloadUnitStarts, pidOf } from './packet.ts';
import { emptyPesHeader, readPesHeader } from './pes.ts';
import { SectionAssembler, crc32, parsePat, parsePmt, sectionPackets } from './psi.ts';
import { readH264Sps, readHevcSps } from './sps.ts';
import { TimestampUnwrapper, ticksBetween } from './timestamps.ts';

const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`../../../../test/fixtures/ts/${name}`, import.meta.url));
const WRAP = 2 ** 33;

/** Payload [from, to) of the n-th packet of a PID. */
function packetsOf(bytes: Uint8Array, pid: number): number[] {
  const found: number[] = [];
  for (let p = 0; p < bytes.length; p += 188) if (pidOf(bytes, p) === pid) found.push(p);
  return found;
}

describe('transport packets', () => {
  it('locates the payload and tells stuffing from a PCR', () => {
    const packet = new Uint8Array(188).fill(0xff);
    packet.set([0x47, 0x41, 0x00, 0x10]);
    expect([pidOf(packet, 0), payloadUnitStarts(packet, 0), payloadStart(packet, 0)]).toEqual([0x100, true, 4]);
    packet.set([0x30, 7, 0x10], 3);
    expect([payloadStart(packet, 0), carriesStuffing(packet, 0)]).toEqual([12, false]);
    packet[4] = 8;
    expect(carriesStuffing(packet, 0)).toBe(true);
    packet[4] = 0;
    expect([payloadStart(packet, 0), carriesStuffing(packet, 0)]).toEqual([5, true]);
    packet[4] = 183;
    expect(payloadStart(packet, 0)).toBe(-1);
    packet[3] = 0x20;
    expect(payloadStart(packet, 0)).toBe(188);
  });
});

describe('PSI', () => {
  it('reads the PAT and PMT ffmpeg wrote', () => {
    const bytes = fixture('h264-aac.ts');
    const [patAt = 0] = packetsOf(bytes, 0);
    const section = new SectionAssembler().push(bytes, patAt + 4, patAt + 188, true);
    expect(section && parsePat(section)).toEqual({ program: 1, pmtPid: 0x1000 });
    const [pmtAt = 0] = packetsOf(bytes, 0x1000);
    const map = new SectionAssembler().push(bytes, pmtAt + 4, pmtAt + 188, true);
    expect(map && parsePmt(map)).toEqual({
      program: 1,
      streams: [
        { pid: 0x100, type: 0x1b },
        { pid: 0x101, type: 0x0f },
      ],
    });
  });

  it('refuses a damaged section and counts it', () => {
    const bytes = Uint8Array.from(fixture('h264-aac.ts'));
    const [patAt = 0] = packetsOf(bytes, 0);
    bytes[patAt + 14] = 0x33;
    const assembler = new SectionAssembler();
    expect(assembler.push(bytes, patAt + 4, patAt + 188, true)).toBeNull();
    expect(assembler.crcErrors).toBe(1);
  });

  it('puts sections of any allowed length together again from packets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 1017 }), (body) => {
        const bytes = new Uint8Array(3 + body.length + 4);
        bytes.set([0x02, 0xb0 | ((body.length + 4) >> 8), (body.length + 4) & 0xff]);
        bytes.set(body, 3);
        new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32(bytes, 0, bytes.length - 4));
        const packets = sectionPackets(bytes, 0x1000);
        const assembler = new SectionAssembler();
        let got: Uint8Array | null = null;
        for (let p = 0; p < packets.length; p += 188) {
          expect(got).toBeNull();
          got = assembler.push(packets, p + 4, p + 188, p === 0);
        }
        expect(got).toEqual(bytes);
      }),
    );
  });

  it('survives any payload', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 184 }), fc.boolean())), (payloads) => {
        const assembler = new SectionAssembler();
        for (const [payload, starts] of payloads) {
          const section = assembler.push(payload, 0, payload.length, starts);
          if (section) expect(section.length).toBeLessThanOrEqual(1024);
        }
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1024 }), (bytes) => {
        parsePat(bytes);
        const streams = parsePmt(bytes)?.streams ?? [];
        expect(streams.length).toBeLessThanOrEqual(bytes.length / 5);
      }),
    );
  });
});

describe('PES headers', () => {
  it('reads PTS and DTS as ISO/IEC 13818-1 lays them out', () => {
    const out = emptyPesHeader();
    // 0x1_FFFF_FFFE and 0x1_0000_0001
    const bytes = Uint8Array.from([
      0, 0, 1, 0xe0, 0x12, 0x34, 0x80, 0xc0, 10, 0x3f, 0xff, 0xff, 0xff, 0xfd, 0x19, 0x00, 0x01, 0x00, 0x03,
    ]);
    expect(readPesHeader(bytes, 0, bytes.length, out)).toBe(true);
    expect(out).toEqual({ packetLength: 0x1234, headerLength: 19, pts: 2 ** 33 - 2, dts: 2 ** 32 + 1 });
    expect(readPesHeader(bytes, 0, 12, out)).toBe(true);
    expect(out).toMatchObject({ pts: -1, dts: -1 });
    expect(readPesHeader(bytes, 1, bytes.length, out)).toBe(false);
  });

  it('never reads past its end and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), (tail, at) => {
        const bytes = Uint8Array.from([0, 0, 1, ...tail]);
        const out = emptyPesHeader();
        readPesHeader(bytes, at % bytes.length, bytes.length, out);
        expect(out.pts).toBeLessThan(WRAP);
        expect(out.headerLength).toBeLessThanOrEqual(264);
      }),
    );
  });
});

describe('33-bit timestamps', () => {
  it('takes the shorter way round', () => {
    expect(ticksBetween(WRAP - 1, 2)).toBe(3);
    expect(ticksBetween(2, WRAP - 1)).toBe(-3);
    expect(ticksBetween(5 * WRAP + 7, 9)).toBe(2);
  });

  it('follows any walk over any number of wraps', () => {
    const step = fc.integer({ min: -(2 ** 32) + 1, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: WRAP - 1 }), fc.array(step, { maxLength: 60 }), (first, steps) => {
        const unwrapper = new TimestampUnwrapper();
        let truth = first;
        expect(unwrapper.unwrap(first)).toBe(first);
        for (const by of steps) {
          truth += by;
          expect(unwrapper.unwrap(((truth % WRAP) + WRAP) % WRAP)).toBe(truth);
        }
      }),
    );
  });
});

describe('NAL scan', () => {
  const sps = [0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0];
  const unit = Uint8Array.from([
    0,
    0,
    0,
    1,
    9,
    0xf0,
    0,
    0,
    0,
    1,
    ...sps,
    0,
    0,
    1,
    0x68,
    1,
    2,
    0,
    0,
    0,
    1,
    0x65,
    0x88,
    0,
  ]);

  it('finds the kind and the parameter sets however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sizes) => {
        const scanner = new NalScanner();
        scanner.begin('h264');
        for (let at = 0, i = 0; at < unit.length; i += 1) {
          const size = sizes[i % sizes.length] ?? 1;
          scanner.scan(unit, at, Math.min(unit.length, at + size));
          at += size;
        }
        expect(scanner).toMatchObject({ kind: 'key', hasSps: true, hasPps: true });
        expect([...scanner.parameters]).toEqual([...sps, 0x68, 1, 2]);
        expect(scanner.format().profile).toEqual([0x42, 0xc0, 0x1e]);
      }),
    );
  });

  it.each([
    ['h264', 0x41, 'other'],
    ['h264', 0x65, 'key'],
    ['hevc', 0x26, 'key'],
    ['hevc', 0x2a, 'key'],
    ['hevc', 0x02, 'other'],
    ['hevc', 0x00, 'other'],
  ] as const)('%s slice %i is %s', (codec, header, kind) => {
    const scanner = new NalScanner();
    scanner.begin(codec);
    expect(scanner.scan(Uint8Array.from([0, 0, 1, header, 1]), 0, 5)).toBe(kind);
  });

  it('gives up on a unit without a slice', () => {
    const scanner = new NalScanner();
    scanner.begin('h264');
    const filler = Uint8Array.from([0, 0, 1, 0x67, ...new Array<number>(1000).fill(0x55)]);
    let scanned = 0;
    while (scanner.scan(filler, 0, filler.length) === 'unknown') scanned += filler.length;
    expect(scanned).toBeLessThan(300_000);
    expect(scanner.parameters.length).toBeLessThanOrEqual(4096);
  });
});

describe('sequence parameter sets', () => {
  it('survive any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const format of [readH264Sps(bytes), readHevcSps(bytes)]) {
          expect(format.width ?? 1).toBeGreaterThan(0);
          expect(format.height ?? 1).toBeLessThanOrEqual(32_768);
        }
      }),
    );
  });
});
