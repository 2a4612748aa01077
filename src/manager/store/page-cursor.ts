import { sql, type Expression, type SqlBool } from 'kysely';
import { parseJson } from '../../lib/json.ts';
import type { Page, PageQuery } from './store.ts';

/** Where a list ordered by name and id goes on. */
interface Cursor {
  readonly name: string;
  readonly id: string;
}

function readCursor(text: string | null | undefined): Cursor | null {
  if (text === null || text === undefined) return null;
  const value = parseJson(Buffer.from(text, 'base64url').toString());
  if (!Array.isArray(value)) return null;
  const [name, id] = value as readonly unknown[];
  return typeof name === 'string' && typeof id === 'string' ? { name, id } : null;
}

/** A page out of one row more than it holds: the last one only shows that there is more. */
function toPage<Row extends { readonly id: string }>(
  rows: readonly Row[],
  limit: number,
  nameOf: (row: Row) => string,
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, next: more ? Buffer.from(JSON.stringify([nameOf(last), last.id])).toString('base64url') : null };
}

/** A text that stands for itself within LIKE … ESCAPE '\'. The database lowers it as it lowers the column. */
export function likeText(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

/** A query of rows that have a name and an id. */
interface NamedRows<Row> {
  where(condition: Expression<SqlBool>): NamedRows<Row>;
  orderBy(column: Expression<unknown>): NamedRows<Row>;
  limit(count: number): NamedRows<Row>;
  execute(): Promise<Row[]>;
}

/** A page of the query's rows in the order of name and id: those whose name contains `q`, from `after` on. */
export async function pageByName<Row extends { readonly id: string; readonly name: string }>(
  all: NamedRows<Row>,
  { limit, after, q }: PageQuery,
): Promise<Page<Row>> {
  let query = all;
  if (q) query = query.where(sql<boolean>`lower(name) like lower(${likeText(q)}) escape '\\'`);
  const cursor = readCursor(after);
  if (cursor !== null) query = query.where(sql<boolean>`(name, id) > (${cursor.name}, ${cursor.id})`);
  const rows = await query
    .orderBy(sql`name`)
    .orderBy(sql`id`)
    .limit(limit + 1)
    .execute();
  return toPage(rows, limit, ({ name }) => name);
}
