import type { RelaySnapshot } from '../support/programs/relay-process.ts';
import { table } from './table.ts';

const mib = 1_048_576;
/** Growth that still counts as flat: what the garbage collector happens to leave. */
const flatGrowth = 0.08;
const flatBytes = 12 * mib;
/** Lines of the table. */
const rows = 7;

export type MemorySample = Pick<RelaySnapshot, 'rssBytes' | 'heapBytes' | 'externalBytes'> & {
  readonly connections: number;
};

/**
 * Samples of a process's memory, and whether it stays flat after the first minutes. Compares the last third of the time
 * after them with the first third, so that neither one sample nor a moment's load decides.
 */
export class MemoryWatch {
  readonly #durationMs: number;
  readonly #warmUpMs: number;
  readonly #samples: { readonly atMs: number; readonly sample: MemorySample }[] = [];

  /** The first five minutes, or a third of a shorter run, are for warming up. */
  constructor(durationMs: number) {
    this.#durationMs = durationMs;
    this.#warmUpMs = Math.min(300_000, durationMs / 3);
  }

  add(atMs: number, sample: MemorySample): void {
    this.#samples.push({ atMs, sample });
  }

  faults(): string[] {
    const { first, last } = this.#thirds();
    const isFlat = last - first <= Math.max(flatBytes, first * flatGrowth);
    return isFlat ? [] : [`memory grew: ${this.describe()}`];
  }

  describe(): string {
    const { first, last } = this.#thirds();
    const peak = Math.max(...this.#samples.map(({ sample }) => sample.rssBytes));
    const minutes = (this.#warmUpMs / 60_000).toFixed(1);
    return `${toMib(first)} MiB in the first third after minute ${minutes}, ${toMib(last)} MiB in the last, peak ${toMib(peak)} MiB`;
  }

  /** Means of equal parts of the whole time. */
  table(): string {
    const partMs = this.#durationMs / rows;
    const parts = Array.from({ length: rows }, (_, row) => {
      const mean = (key: keyof MemorySample): number => this.#mean(key, row * partMs, (row + 1) * partMs);
      const sizes = (['rssBytes', 'heapBytes', 'externalBytes'] as const).map((key) => `${toMib(mean(key))}`);
      return [((row * partMs) / 60_000).toFixed(1), ...sizes, `${Math.round(mean('connections'))}`];
    });
    return table([['from minute', 'RSS MiB', 'JS heap MiB', 'buffers MiB', 'connections'], ...parts]);
  }

  #thirds(): { readonly first: number; readonly last: number } {
    const thirdMs = (this.#durationMs - this.#warmUpMs) / 3;
    return {
      first: this.#mean('rssBytes', this.#warmUpMs, this.#warmUpMs + thirdMs),
      last: this.#mean('rssBytes', this.#durationMs - thirdMs, Number.POSITIVE_INFINITY),
    };
  }

  #mean(key: keyof MemorySample, fromMs: number, toMs: number): number {
    const inside = this.#samples.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    return inside.reduce((sum, { sample }) => sum + sample[key], 0) / Math.max(1, inside.length);
  }
}

function toMib(bytes: number): number {
  return Math.round(bytes / mib);
}
