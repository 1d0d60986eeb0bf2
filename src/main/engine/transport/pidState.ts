import { discontinuityIndicated, payloadUnitStarts } from './packet.ts';

/** A PES packet of `pid`, begun at absolute offset `start` (-1: before what is stored), that had not ended at some boundary. */
export type Cut = {
  readonly pid: number;
  readonly start: number;
  /** false once its next packet proved that it had ended after all (its length was not told) */
  open: boolean;
};

/** How a packet continues its PID. */
const CONTINUES = 0;
export const DUPLICATE = 1;
export const AFTER_LOSS = 2;

/** Follows the PES packets of one PID: where the present one began, whether it is whole, and what a boundary would cut. */
export class PidState {
  readonly pid: number;
  #counter = -1;
  #start = -1;
  #open = false;
  /** bytes of the PES packet still to come; Infinity when its length is not told */
  #missing = Number.POSITIVE_INFINITY;
  // The PES packet that was open at the last boundary (the start of the newest video access unit).
  #cutStart = -1;
  #cutOpen = false;
  #cutSettled = true;
  #pending: Cut | null = null;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** True when the present PES packet has reached its told length. */
  get whole(): boolean {
    return this.#missing <= 0;
  }

  get lengthKnown(): boolean {
    return this.#missing !== Number.POSITIVE_INFINITY;
  }

  /** Where the present PES packet began if its length is told and not reached yet; -1 otherwise. */
  get unfinishedStart(): number {
    return this.#open && this.lengthKnown ? this.#start : -1;
  }

  /** Checks the continuity counter (ISO/IEC 13818-1 section 2.4.3.3) of a packet with payload. */
  follow(buf: Uint8Array, p: number): number {
    const byte = buf[p + 3] ?? 0;
    const counter = byte & 15;
    const before = this.#counter;
    this.#counter = counter;
    if (before < 0 || counter === ((before + 1) & 15)) return CONTINUES;
    if ((byte & 0x20) !== 0 && discontinuityIndicated(buf, p)) return CONTINUES;
    return counter === before && !payloadUnitStarts(buf, p) ? DUPLICATE : AFTER_LOSS;
  }

  /** A PES packet begins at `offset`; `missing` counts its bytes, header included, or is Infinity. */
  begin(offset: number, missing: number): void {
    this.#settle(false);
    this.#start = offset;
    this.#open = true;
    this.#missing = missing;
  }

  /** `payload` bytes of the present PES packet, the ones in its first transport packet included. */
  add(payload: number, starts: boolean): void {
    if (!starts) this.#settle(true);
    this.#missing -= payload;
    if (this.#missing <= 0) this.#open = false;
  }

  /** Remembers what a boundary here would cut. */
  markBoundary(): void {
    this.#cutStart = this.#start;
    this.#cutOpen = this.#open;
    this.#cutSettled = !this.#open;
  }

  /** What the last boundary cut, if anything; settled by later packets when it is not yet certain. */
  cutAtBoundary(): Cut | null {
    if (!this.#cutOpen) return null;
    if (this.#cutSettled) return { pid: this.pid, start: this.#cutStart, open: true };
    this.#pending ??= { pid: this.pid, start: this.#cutStart, open: true };
    return this.#pending;
  }

  /** What a boundary right here would cut. */
  cutHere(): Cut | null {
    return this.#open ? { pid: this.pid, start: this.#start, open: true } : null;
  }

  /** Storage from `offset` on was given back. */
  forget(offset: number): void {
    if (this.#start >= offset) this.#start = -1;
    if (this.#cutStart >= offset) this.#cutStart = -1;
  }

  #settle(wasCut: boolean): void {
    if (this.#cutSettled) return;
    this.#cutSettled = true;
    this.#cutOpen = wasCut;
    if (this.#pending) this.#pending.open = wasCut;
    this.#pending = null;
  }
}
