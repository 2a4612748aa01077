import type { Cell as ResultCell, ResultRow } from '../report/results.ts';
import type { PathCase } from './cells.ts';
import type { Summary } from '../statistics.ts';

export const units = { p50: 'ms p50', p99: 'ms p99', cpu: 'µs' } as const;

/** What a tunnel may cost, beside the bare path in the same round. */
const targets = {
  /** Where the path carries the rate. */
  share: 0.99,
  addedP99Ms: 15,
  /** Where it does not. */
  linkShare: 0.95,
  linkP99Ms: 150,
  /** How far below its share the worst round may be: a median hides a round in which nearly nothing arrived. */
  worstRound: 0.05,
};

export interface Verdict {
  readonly row: string;
  readonly column: string;
  /** Of what the bare path delivers. */
  readonly share: number;
  readonly p99Ms: number;
  /** What is not as it should be; empty when all is. */
  readonly misses: readonly string[];
}

/** Compares a column with the bare path, cell by cell; the worst first. Cells without a number are not judged. */
export function judge(
  rows: readonly ResultRow[],
  cases: readonly PathCase[],
  column: string,
  bare: string,
): readonly Verdict[] {
  const verdicts = rows.flatMap((row) => {
    const pathCase = cases.find(({ id }) => id === row.id);
    const [ours, theirs] = [row.cells[column], row.cells[bare]];
    const ratio = ours?.ratio ?? null;
    if (pathCase === undefined || ours === undefined || theirs === undefined || ratio === null) return [];
    return [verdictOf(row.id, column, ratio, { pathCase, ours, theirs })];
  });
  return verdicts.toSorted((a, b) => a.share - b.share);
}

interface Compared {
  readonly pathCase: PathCase;
  readonly ours: ResultCell;
  readonly theirs: ResultCell;
}

function verdictOf(row: string, column: string, ratio: Summary, { pathCase, ours, theirs }: Compared): Verdict {
  const { median: share, min: worst } = ratio;
  const p99Ms = ours.beside[units.p99] ?? NaN;
  const isNarrow = (pathCase.cell.link?.share ?? Infinity) <= 1;
  const leastShare = isNarrow ? targets.linkShare : targets.share;
  const mostMs = isNarrow ? targets.linkP99Ms : (theirs.beside[units.p99] ?? NaN) + targets.addedP99Ms;
  const misses = [
    ...(share < leastShare ? [`delivers ${share.toFixed(3)} of the bare path, not ${leastShare}`] : []),
    ...(share >= leastShare && worst < leastShare - targets.worstRound
      ? [`delivers ${worst.toFixed(3)} of the bare path in one round`]
      : []),
    ...(p99Ms > mostMs ? [`p99 is ${p99Ms.toFixed(0)} ms, not ${mostMs.toFixed(0)} ms`] : []),
  ];
  return { row, column, share, p99Ms, misses };
}
