import { sql } from 'kysely';
import type { OpenDatabase } from './open-database.ts';
import type { Tables } from './schema.ts';

/** What the engine itself finds wrong with its files and references, in its own words; at most 100 lines. */
export async function integrityProblems({ db, engine }: OpenDatabase): Promise<readonly string[]> {
  // PostgreSQL enforces references by itself, and checks its files with tools of its own.
  if (engine === 'postgres') return [];
  const { rows: pages } = await sql<{ integrity_check: string }>`pragma integrity_check(100)`.execute(db);
  const { rows: references } = await sql<{ table: string; parent: string }>`pragma foreign_key_check`.execute(db);
  return [
    ...pages.map(({ integrity_check: line }) => line).filter((line) => line !== 'ok'),
    ...references
      .slice(0, 100)
      .map(({ table, parent }) => `a row of ${table} refers to a row of ${parent} that is gone`),
  ];
}

/** Bytes that hold rows and indexes. What was deleted in the embedded database is used again, and does not count. */
export async function databaseBytes({ db, engine }: Pick<OpenDatabase, 'db' | 'engine'>): Promise<number> {
  if (engine === 'postgres') {
    const size = sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`;
    return (await size.execute(db)).rows[0]?.bytes ?? 0;
  }
  const pages = sql<{ bytes: number }>`select (page_count - freelist_count) * page_size as bytes
    from pragma_page_count, pragma_freelist_count, pragma_page_size`;
  return (await pages.execute(db)).rows[0]?.bytes ?? 0;
}

/** How many rows some tables have, for people. */
export async function rowCounts({ db }: Pick<OpenDatabase, 'db'>): Promise<Readonly<Record<string, number>>> {
  const tables: readonly (keyof Tables)[] = ['nodes', 'tunnels', 'managed_flows', 'legs', 'events', 'users', 'audit'];
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const query = db.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('count'));
    counts[table] = (await query.executeTakeFirst())?.count ?? 0;
  }
  return counts;
}
