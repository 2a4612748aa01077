import type { LiveMessage } from './live-message.ts';

/** Whether a row that the list does not have yet belongs on its top. */
export type Prepends = (row: unknown) => boolean;

export interface RowsChange<Row> {
  readonly rows: readonly Row[];
  /**
   * `now`: something has changed that the message does not name. `soon`: it names rows that the list does not have;
   * whether and where they belong is for the manager's filter to say.
   */
  readonly readAgain: 'now' | 'soon' | 'no';
}

/** What a live message makes of a list. */
export function changeOf<Row extends { readonly id: string }>(
  rows: readonly Row[],
  { type, items = [], removed = [] }: LiveMessage,
  prepends?: Prepends,
): RowsChange<Row> {
  if (items.length === 0 && removed.length === 0) return { rows, readAgain: type === 'delta' ? 'now' : 'no' };
  const changed = new Map((items as readonly Row[]).map((row) => [row.id, row]));
  const gone = new Set(removed);
  const known = new Set(rows.map(({ id }) => id));
  const kept = rows.filter(({ id }) => !gone.has(id)).map((row) => changed.get(row.id) ?? row);
  const unknown = Array.from(changed.values()).filter(({ id }) => !known.has(id) && !gone.has(id));
  if (prepends !== undefined) return { rows: [...unknown.filter(prepends).reverse(), ...kept], readAgain: 'no' };
  return { rows: kept, readAgain: type === 'delta' && unknown.length > 0 ? 'soon' : 'no' };
}
