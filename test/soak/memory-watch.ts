const mib = 1_048_576;
/** Growth after the first minutes that still counts as flat: what the garbage collector leaves lying about. */
const flatGrowth = 0.15;
const flatBytes = 24 * mib;

/** Samples of a process's memory, and whether it stays where it was after the first minutes. */
export class MemoryWatch {
  readonly #warmUpMs: number;
  readonly #windowMs: number;
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  /** The first five minutes, or a third of a shorter run, are for warming up. */
  constructor(durationMs: number) {
    this.#warmUpMs = Math.min(300_000, durationMs / 3);
    this.#windowMs = Math.min(60_000, durationMs / 6);
  }

  add(atMs: number, bytes: number): void {
    this.#samples.push({ atMs, bytes });
  }

  faults(): string[] {
    const after = this.#mean(this.#warmUpMs);
    const end = this.#mean(this.#lastMs() - this.#windowMs);
    const isFlat = end - after <= Math.max(flatBytes, after * flatGrowth);
    return isFlat ? [] : [`memory grew: ${this.describe()}`];
  }

  describe(): string {
    const after = round(this.#mean(this.#warmUpMs));
    const end = round(this.#mean(this.#lastMs() - this.#windowMs));
    const peak = round(Math.max(...this.#samples.map(({ bytes }) => bytes)));
    return `${after} MiB after ${Math.round(this.#warmUpMs / 1000)} s, ${end} MiB at the end, peak ${peak} MiB`;
  }

  #lastMs(): number {
    return this.#samples.at(-1)?.atMs ?? 0;
  }

  /** Of a window that begins here. */
  #mean(fromMs: number): number {
    const inside = this.#samples.filter(({ atMs }) => atMs >= fromMs && atMs <= fromMs + this.#windowMs);
    return inside.reduce((sum, { bytes }) => sum + bytes, 0) / Math.max(1, inside.length);
  }
}

function round(bytes: number): number {
  return Math.round(bytes / mib);
}
