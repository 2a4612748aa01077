import type { Tr101290Counters } from './tr101290.ts';

/** PCRs must come this often, and not jump farther (TR 101 290 §5.2.2). */
const periodUs = 100_000;
const ticksPerUs = 27;
const wrap = 2 ** 33 * 300;

/** Reads a programme clock reference: 33 bits at 90 kHz, 6 reserved, 9 at 27 MHz. Returns 27 MHz ticks. */
export function readPcr(bytes: Buffer, at: number): number {
  const base = bytes.readUInt32BE(at) * 2 + ((bytes[at + 4] ?? 0) >> 7);
  return base * 300 + (bytes.readUInt16BE(at + 4) & 0x1ff);
}

/** Follows the clocks that the programme tables name. */
export class PcrWatch {
  readonly #counters: Tr101290Counters;
  /** Null until the first one has come. */
  readonly #clocks = new Map<number, { value: number; atUs: number } | null>();

  constructor(counters: Tr101290Counters) {
    this.#counters = counters;
  }

  follow(pids: ReadonlySet<number>): void {
    for (const pid of this.#clocks.keys()) if (!pids.has(pid)) this.#clocks.delete(pid);
    for (const pid of pids) if (!this.#clocks.has(pid)) this.#clocks.set(pid, null);
  }

  note(nowUs: number, pid: number, value: number, discontinuity: boolean): void {
    const last = this.#clocks.get(pid);
    if (last === undefined) return;
    this.#clocks.set(pid, { value, atUs: nowUs });
    if (last === null || discontinuity) return;
    const stepUs = ((((value - last.value) % wrap) + wrap) % wrap) / ticksPerUs;
    if (stepUs <= periodUs) return;
    // A clock that went on while nothing came is late; one that leaps, or goes back, is broken.
    if (stepUs > nowUs - last.atUs + periodUs) this.#counters.pcr_discontinuity_errors++;
    else this.#counters.pcr_repetition_errors++;
  }
}
