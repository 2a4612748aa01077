export interface Column {
  readonly title: string;
  /** Where lines would be wider than the terminal, the cells are cut to this many characters. */
  readonly shortest?: number;
  /** Where that is not enough, the columns with the lowest numbers are left out; those without one stay. */
  readonly leaves?: number;
}

/** Rows under a head, each column as wide as its widest cell; a column that is empty everywhere is left out. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string {
  const used = columns
    .map((column, index) => ({ ...column, cells: [column.title, ...rows.map((row) => row[index] ?? '')] }))
    .filter(({ cells }) => cells.some((cell, index) => index > 0 && cell !== ''));
  const fitting = fit(used, width);
  return [...rows.keys(), rows.length].map((row) => `${line(fitting, row)}\n`).join('');
}

interface Filled extends Column {
  readonly cells: readonly string[];
}

function fit(columns: readonly Filled[], width: number): readonly Filled[] {
  if (totalWidth(columns) <= width) return columns;
  let left = columns.map((column) => ({
    ...column,
    cells: column.cells.map((cell) => cell.slice(0, column.shortest)),
  }));
  while (totalWidth(left) > width) {
    const next = Math.min(...left.map(({ leaves = Infinity }) => leaves));
    if (next === Infinity) break;
    left = left.filter(({ leaves }) => leaves !== next);
  }
  return left;
}

const gap = '  ';

function totalWidth(columns: readonly Filled[]): number {
  return columns.reduce((sum, { cells }) => sum + widest(cells) + gap.length, -gap.length);
}

function widest(cells: readonly string[]): number {
  return Math.max(...cells.map(({ length }) => length));
}

function line(columns: readonly Filled[], row: number): string {
  const cells = columns.map(({ cells: all }) => (all[row] ?? '').padEnd(widest(all)));
  return cells.join(gap).trimEnd();
}
