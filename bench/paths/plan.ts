import { randomInt } from 'node:crypto';
import { seedCount, type BenchOptions } from '../options.ts';

/** One round of the table: every column meets the same cases. */
export interface PlannedRound<Case> {
  /** From 1 on. */
  readonly number: number;
  /** Seeds of its cases are made from it. */
  readonly seed: number;
  readonly cases: readonly Case[];
}

type PlanOptions = Pick<BenchOptions, 'only' | 'rounds' | 'seed'>;

/**
 * The same cells in every round, each with a seed of its own: what one pattern of loss hides, another one shows. The
 * first seed is drawn unless it is given, and the next rounds have the numbers after it. Throws when no cell has such
 * a name.
 */
export function planRounds<Case extends { readonly id: string }>(
  { only, rounds, seed }: PlanOptions,
  casesOf: (roundSeed: number) => readonly Case[],
): readonly PlannedRound<Case>[] {
  const first = seed ?? randomInt(seedCount);
  return Array.from({ length: rounds }, (_, index) => {
    const cases = casesOf(first + index).filter(({ id }) => only?.some((part) => id.includes(part)) ?? true);
    if (cases.length === 0) throw new Error('no cell has such a name');
    return { number: index + 1, seed: first + index, cases };
  });
}
