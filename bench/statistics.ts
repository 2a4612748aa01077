/** One figure over the rounds of a run. */
export interface Summary {
  readonly median: number;
  /** The spread: the smallest and the largest round. */
  readonly min: number;
  readonly max: number;
  /** Rounds that gave a number. */
  readonly count: number;
}

/** Null when no round gave a number. */
export function summarise(values: readonly number[]): Summary | null {
  const sorted = ascending(values);
  const [min, max] = [sorted[0], sorted[sorted.length - 1]];
  if (min === undefined || max === undefined) return null;
  return { median: medianOf(sorted), min, max, count: sorted.length };
}

/**
 * Value by value in the same round, since the machine's speed changes between rounds and much less within one.
 * Rounds in which either gave no number, or the reference none above 0, have no ratio.
 */
export function ratios(values: readonly (number | null)[], references: readonly (number | null)[]): number[] {
  return values.flatMap((value, round) => {
    const reference = references[round] ?? null;
    return value === null || reference === null || reference <= 0 ? [] : [value / reference];
  });
}

/** The smallest value that at least `share` (0 to 1) of the sorted values do not exceed; NaN of nothing. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.ceil(share * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] ?? NaN;
}

export function ascending(values: Iterable<number>): Float64Array {
  // Typed arrays sort by number.
  return Float64Array.from(values).sort();
}

function medianOf(sorted: Float64Array): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
