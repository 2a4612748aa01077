import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Rows } from '../data/rows.ts';
import { count } from '../words/format.ts';
import { Button } from './button.tsx';
import { Note } from './card.tsx';
import { rowWindow } from './row-window.ts';

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** Share of the width, in `fr`. */
  readonly width: number;
  readonly align?: 'right';
  /** Hidden on narrow screens: 1 below 1100 px, 2 below 760 px, 3 below 480 px. */
  readonly hide?: 1 | 2 | 3;
  /** On narrow screens its badges are signs only; their words are still read aloud. */
  readonly compact?: boolean;
  cell(row: Row): ComponentChildren;
}

interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: Rows<Row>;
  readonly empty: ComponentChildren;
  readonly rowHeight?: number;
  rowClass?(row: Row): string;
}

/** A table of any length with at most 60 rows in the document. Reads further pages as the operator scrolls. */
export function Table<Row extends { readonly id: string }>(props: TableProps<Row>) {
  const { label, columns, rows, empty, rowHeight = 48 } = props;
  const frame = useRef<HTMLDivElement>(null);
  const scrollTop = useSignal(0);
  const height = useSignal(600);
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const items = rows.items.value;
  const shown = rowWindow({ rows: items.length, rowHeight, scrollTop: scrollTop.value, height: height.value });
  // A row that leaves the window lends its elements to one that enters it.
  const drawn = Math.max(1, shown.last - shown.first);
  const scroll = (event: Event) => {
    const element = event.currentTarget as HTMLElement;
    scrollTop.value = element.scrollTop;
    if (element.scrollHeight - element.scrollTop - element.clientHeight < 4_000) rows.more();
  };
  const problem = rows.error.value;
  if (items.length === 0 && problem !== null) return <Note tone="bad">{problem}</Note>;
  if (items.length === 0 && !rows.loading.value) return <>{empty}</>;
  return (
    <div class="table-box">
      {problem !== null && <Note tone="bad">{problem}</Note>}
      <div class="table-frame" ref={frame} onScroll={scroll} tabIndex={0} role="region" aria-label={label}>
        <table aria-rowcount={rows.complete.value ? items.length + 1 : -1}>
          <TableHead columns={columns} />
          <tbody>
            <Spacer height={shown.above} />
            {items.slice(shown.first, shown.last).map((row, index) => (
              <tr
                key={(shown.first + index) % drawn}
                style={{ height: `${rowHeight}px` }}
                class={props.rowClass?.(row)}
                aria-rowindex={shown.first + index + 2}
              >
                {columns.map((column) => (
                  <td key={column.key} class={cellClass(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
            <Spacer height={shown.below} />
          </tbody>
        </table>
      </div>
      <TableFoot rows={rows} />
    </div>
  );
}

function TableHead<Row>({ columns }: { columns: readonly Column<Row>[] }) {
  const whole = columns.reduce((sum, { width }) => sum + width, 0);
  return (
    <thead>
      <tr aria-rowindex={1}>
        {columns.map((column) => (
          <th
            key={column.key}
            scope="col"
            class={cellClass(column)}
            style={{ width: `${(column.width / whole) * 100}%` }}
          >
            {column.title}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** One cell, without a span: a span over hidden columns would widen the table. */
function Spacer({ height }: { height: number }) {
  if (height === 0) return null;
  return (
    <tr class="spacer" aria-hidden="true" style={{ height: `${height}px` }}>
      <td />
    </tr>
  );
}

/** With a way to the next page where there is nothing to scroll: equal events are one row, a filter may leave few. */
function TableFoot({ rows }: { rows: Rows<unknown> }) {
  const [shown, loading] = [rows.items.value.length, rows.loading.value];
  const isWhole = rows.complete.value;
  const text = isWhole ? `${count(shown)} in all` : `${count(shown)} read; more below`;
  return (
    <div class="table-foot">
      <p aria-live="polite">{loading && shown === 0 ? 'Reading…' : text}</p>
      {!isWhole && !loading && (
        <Button small kind="quiet" onPress={rows.more}>
          Read more
        </Button>
      )}
    </div>
  );
}

function cellClass<Row>({ align, hide, compact = false }: Column<Row>): string {
  return `${align === 'right' ? 'right' : ''}${hide === undefined ? '' : ` hide-${hide}`}${compact ? ' compact' : ''}`;
}

interface SimpleTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly items: readonly Row[];
  rowClass?(row: Row): string;
}

/** A short table: all its rows at once, without a scroll frame of its own. */
export function SimpleTable<Row extends { readonly id: string }>(props: SimpleTableProps<Row>) {
  const { label, columns, items, rowClass } = props;
  return (
    <div class="table-frame table-simple" tabIndex={0} role="region" aria-label={label}>
      <table>
        <TableHead columns={columns} />
        <tbody>
          {items.map((row) => (
            <tr key={row.id} class={rowClass?.(row)}>
              {columns.map((column) => (
                <td key={column.key} class={cellClass(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
