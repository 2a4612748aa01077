export interface WindowInput {
  readonly rows: number;
  /** Pixels; all rows have the same height. */
  readonly rowHeight: number;
  readonly scrollTop: number;
  readonly height: number;
}

export interface RowWindow {
  /** Rows `first` to `last - 1` are drawn. */
  readonly first: number;
  readonly last: number;
  /** Pixels that the rows before and behind take. */
  readonly above: number;
  readonly below: number;
}

/** Rows drawn beyond the edge, so that a fast scroll shows no gap. */
const overscan = 8;

/** No table puts more rows into the document, whatever the height of the screen. */
export const maxRowsDrawn = 60;

/** Which rows of a long table to draw. */
export function rowWindow({ rows, rowHeight, scrollTop, height }: WindowInput): RowWindow {
  const fit = Math.min(maxRowsDrawn, Math.ceil(height / rowHeight) + 2 * overscan);
  const wanted = Math.floor(Math.max(0, scrollTop) / rowHeight) - overscan;
  const first = Math.max(0, Math.min(wanted, rows - fit));
  const last = Math.min(rows, first + fit);
  return { first, last, above: first * rowHeight, below: (rows - last) * rowHeight };
}
