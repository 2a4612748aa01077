import type { Row } from '../figures/figure.ts';
import type { Rounds } from '../rounds.ts';
import type { Results } from './results.ts';

interface Layout {
  readonly columns: readonly { readonly name: string; readonly description: string }[];
  readonly rows: readonly Row[];
  /** The column that the others are compared with, if it was measured. */
  readonly reference: string;
  readonly engines: readonly string[];
}

/** The table of a run in which every column has every row. */
export function resultsOfRounds(
  { recorder, discarded, origin }: Rounds,
  { columns, rows, engines, ...wanted }: Layout,
): Results {
  const names = columns.map(({ name }) => name);
  const reference = names.includes(wanted.reference) ? wanted.reference : null;
  return {
    ...origin,
    ...{ engines, edgeEngine: '', reference },
    relays: Object.fromEntries(columns.map(({ name, description }) => [name, description])),
    rows: recorder.rows(rows, names, () => reference, discarded),
  };
}
