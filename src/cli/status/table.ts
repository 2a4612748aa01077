/** Rows under a head, each column as wide as its widest cell; a column that is empty everywhere is left out. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = head.map((_title, column) => rows.some((row) => (row[column] ?? '') !== ''));
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    widths
      .flatMap((width, column) => (used[column] === true ? [(cells[column] ?? '').padEnd(width)] : []))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map((cells) => `${line(cells)}\n`).join('');
}
