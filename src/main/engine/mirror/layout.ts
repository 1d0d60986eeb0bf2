import { z } from 'zod';

/**
 * How a mirror lies on the disk. `<data>/mirror/run-*` holds one run of the studio: segments `NNNNNN.ts`, whole transport packets
 * one after the other over all of them, and beside each `NNNNNN.jsonl`, lines that say when its bytes came. A run that ended cleanly
 * leaves nothing, so whatever another run left is a leftover of a crash; no run writes into the folder of another.
 */
export const MIRROR_FOLDER = 'mirror';

const RUN_NAME = /^run-[0-9]+-[0-9a-f]+$/;
const SEGMENT_NAME = /^([0-9]{6,})\.ts$/;

export const runName = (startedAt: number, token: string): string => `run-${startedAt}-${token}`;
export const isRunName = (name: string): boolean => RUN_NAME.test(name);

export const segmentName = (number: number): string => `${String(number).padStart(6, '0')}.ts`;
export const marksName = (number: number): string => `${String(number).padStart(6, '0')}.jsonl`;
/** The number of a segment's file; undefined for any other file. */
export function segmentNumber(name: string): number | undefined {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The bytes from `at` (offset in the segment) on arrived at `wall`, Unix seconds. The first line of a segment says the source. */
const ArrivalMark = z.object({
  at: z.int().nonnegative(),
  wall: z.number(),
  source: z.string().optional(),
  /** what comes is another stream, or the one before with a hole in between */
  begins: z.boolean().optional(),
});
export type ArrivalMark = z.infer<typeof ArrivalMark>;

export const markLine = (mark: ArrivalMark): string => `${JSON.stringify(mark)}\n`;

/** The lines that are whole and make sense; a torn one is left out. */
export function parseMarks(text: string): ArrivalMark[] {
  return text.split('\n').flatMap((line) => {
    try {
      const mark = ArrivalMark.safeParse(JSON.parse(line)).data;
      return mark ? [mark] : [];
    } catch {
      return [];
    }
  });
}
