import { sql, type Kysely } from 'kysely';
import { AppError } from '../../lib/app-error.ts';
import type { OpenDatabase } from './open-database.ts';
import type { Tables } from './schema.ts';

interface KeptTable {
  readonly table: keyof Tables;
  readonly key: readonly string[];
  /** The key is a number that the engine hands out. */
  readonly numbered?: true;
}

/** What outlives a restart, parents before their children. */
const keptTables: readonly KeptTable[] = [
  { table: 'nodes', key: ['id'] },
  { table: 'node_secrets', key: ['id'] },
  { table: 'tunnels', key: ['id'] },
  { table: 'tunnel_relays', key: ['tunnel_id', 'position'] },
  { table: 'managed_flows', key: ['id'] },
  { table: 'legs', key: ['id'] },
  { table: 'drift', key: ['id'] },
  { table: 'events', key: ['id'], numbered: true },
  { table: 'users', key: ['id'] },
  { table: 'user_sessions', key: ['token_hash'] },
  { table: 'api_tokens', key: ['id'] },
  { table: 'webhooks', key: ['id'] },
  { table: 'webhook_deliveries', key: ['id'] },
  { table: 'settings', key: ['key'] },
  { table: 'audit', key: ['id'], numbered: true },
];

/** Below SQLite's 32 766 and far below PostgreSQL's 65 535. */
const maxParameters = 5_000;
const rowsAtOnce = 500;

type Row = Readonly<Record<string, unknown>>;

export interface CopiedTable {
  readonly table: string;
  readonly rows: number;
}

/**
 * Copies what outlives a restart into an empty database, in one transaction of the target, and reads each row back.
 * Rejects with AppError `config-invalid` where the target is not empty, `io-failed` where a row came out changed.
 */
export function copyTables(source: OpenDatabase, target: OpenDatabase): Promise<readonly CopiedTable[]> {
  return target.db.transaction().execute(async (inside) => {
    await refuseFilled(inside);
    const copied: CopiedTable[] = [];
    for (const kept of keptTables) copied.push({ table: kept.table, rows: await copyTable(source.db, inside, kept) });
    if (target.engine === 'postgres') await countOn(inside);
    return copied;
  });
}

async function refuseFilled(target: Kysely<Tables>): Promise<void> {
  for (const { table } of keptTables) {
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(target);
    if (rows.length === 0) continue;
    throw new AppError('config-invalid', `the target is not empty: its table ${table} has rows; name a new database`);
  }
}

async function copyTable(source: Kysely<Tables>, target: Kysely<Tables>, kept: KeptTable): Promise<number> {
  let copied = 0;
  let after: Row | null = null;
  for (;;) {
    const rows: readonly Row[] = await pageOf(source, kept, after);
    const last = rows.at(-1);
    if (last === undefined) break;
    await insert(target, kept.table, rows);
    await compare(target, kept, rows);
    copied += rows.length;
    after = last;
  }
  const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(kept.table)}`.execute(target);
  if (Number(rows[0]?.n) === copied) return copied;
  throw new AppError('io-failed', `${kept.table} has ${copied} rows in the source and ${rows[0]?.n} in the copy`);
}

async function pageOf(source: Kysely<Tables>, { table, key }: KeptTable, after: Row | null): Promise<readonly Row[]> {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  const from = after === null ? sql`` : sql`where (${columns}) > (${sql.join(key.map((column) => after[column]))})`;
  const query = sql<Row>`select * from ${sql.table(table)} ${from} order by ${columns} limit ${sql.lit(rowsAtOnce)}`;
  return (await query.execute(source)).rows;
}

async function insert(target: Kysely<Tables>, table: string, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
  const atOnce = Math.floor(maxParameters / columns.length);
  const names = sql.join(columns.map((column) => sql.ref(column)));
  for (let from = 0; from < rows.length; from += atOnce) {
    const values = rows.slice(from, from + atOnce).map((row) => sql`(${sql.join(columns.map((name) => row[name]))})`);
    await sql`insert into ${sql.table(table)} (${names}) values ${sql.join(values)}`.execute(target);
  }
}

/** Reads the rows back by their keys. */
async function compare(target: Kysely<Tables>, { table, key }: KeptTable, rows: readonly Row[]): Promise<void> {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  const wanted = rows.map((row) => sql`(${sql.join(key.map((column) => row[column]))})`);
  const query = sql<Row>`select * from ${sql.table(table)} where (${columns}) in (${sql.join(wanted)})`;
  const found = new Map((await query.execute(target)).rows.map((row) => [keyOf(row, key), row]));
  for (const row of rows) {
    const name = keyOf(row, key);
    if (sameRow(row, found.get(name))) continue;
    throw new AppError('io-failed', `the row ${name} of ${table} came out changed; nothing was kept`);
  }
}

function keyOf(row: Row, key: readonly string[]): string {
  return key.map((column) => String(row[column])).join('/');
}

function sameRow(row: Row, other: Row | undefined): boolean {
  return other !== undefined && Object.entries(row).every(([column, value]) => other[column] === value);
}

/** The engine hands out numbers from behind the highest one. */
async function countOn(target: Kysely<Tables>): Promise<void> {
  for (const { table, numbered } of keptTables) {
    if (numbered !== true) continue;
    const next = sql`(select coalesce(max(id), 0) + 1 from ${sql.table(table)})`;
    await sql`select setval(pg_get_serial_sequence(${table}, 'id'), ${next}, false)`.execute(target);
  }
}
