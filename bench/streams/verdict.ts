import type { ResultRow } from '../report/results.ts';
import { ratios, summarise } from '../statistics.ts';

/** Of what the kernel's TCP carries over the same path in the same round. */
const leastShare = 0.9;

export interface StreamVerdict {
  readonly row: string;
  readonly column: string;
  /** The kernel's congestion control that it is compared with. */
  readonly kernel: string;
  /** Median over the rounds. */
  readonly share: number;
  readonly isMissed: boolean;
}

/** Each tunnel beside each kernel column, the worst first. Cells without a number are not judged. */
export function judgeStreams(
  rows: readonly ResultRow[],
  tunnels: readonly string[],
  kernels: readonly string[],
): readonly StreamVerdict[] {
  const verdicts = rows.flatMap(({ id: row, cells }) =>
    tunnels.flatMap((column) =>
      kernels.flatMap((kernel) => {
        const share = summarise(ratios(cells[column]?.values ?? [], cells[kernel]?.values ?? []))?.median;
        return share === undefined ? [] : [{ row, column, kernel, share, isMissed: share < leastShare }];
      }),
    ),
  );
  return verdicts.toSorted((a, b) => a.share - b.share);
}

/** How many hold, and those that do not. */
export function verdictLines(verdicts: readonly StreamVerdict[]): readonly string[] {
  const missed = verdicts.filter(({ isMissed }) => isMissed);
  return [
    `At least ${leastShare} of the kernel’s TCP: ${verdicts.length - missed.length} of ${verdicts.length}.`,
    ...missed.map(({ row, column, kernel, share }) => `  ${column}, ${row}: ${share.toFixed(2)} of ${kernel}`),
  ];
}
