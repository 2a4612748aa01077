import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';
import { Kysely, sql, type RawBuilder } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { initialSchema } from './migrations/0001-initial.ts';
import { postgresPool } from './postgres.ts';
import type { Tables } from './schema.ts';
import { SqliteWorker, SqliteWorkerDialect } from './sqlite-worker.ts';

export type EngineName = 'sqlite' | 'postgres';

/** An open database whose schema is this program's. */
export interface OpenDatabase {
  readonly engine: EngineName;
  readonly db: Kysely<Tables>;
  /** Milliseconds since the Unix epoch by the database's own clock: what leases are judged by. */
  readonly now: RawBuilder<number>;
  /** A copy made while it is in use; null where the engine has tools of its own. */
  readonly backup: ((path: string) => Promise<void>) | null;
  close(): Promise<void>;
}

const sqliteNow = sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;
const postgresNow = sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`;

/**
 * Opens `sqlite:PATH` or `postgres://…` and brings its schema up to date. Rejects with AppError `io-failed` when it
 * cannot be reached or is open in another process, and `config-invalid` when a newer program wrote it.
 */
export async function openDatabase(url: string, onError: (error: Error) => void): Promise<OpenDatabase> {
  const opened = /^postgres(ql)?:/.test(url) ? openPostgres(url, onError) : await openSqlite(pathOf(url));
  try {
    await migrate(opened.db, opened.engine);
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** `sqlite:state/manager.db` → `state/manager.db`. */
function pathOf(url: string): string {
  return url.replace(/^sqlite:/, '');
}

function openPostgres(url: string, onError: (error: Error) => void): OpenDatabase {
  const { dialect } = postgresPool(url, onError);
  const db = new Kysely<Tables>({ dialect });
  return { engine: 'postgres', db, now: postgresNow, backup: null, close: () => db.destroy() };
}

async function openSqlite(path: string): Promise<OpenDatabase> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const worker = await openOrNameHolder(path);
  const db = new Kysely<Tables>({ dialect: new SqliteWorkerDialect(worker) });
  await writeFile(`${path}.pid`, `${process.pid}\n`);
  return {
    engine: 'sqlite',
    db,
    now: sqliteNow,
    backup: (target) => worker.backup(target),
    async close() {
      await db.destroy();
      await rm(`${path}.pid`, { force: true });
    },
  };
}

async function openOrNameHolder(path: string): Promise<SqliteWorker> {
  try {
    return await SqliteWorker.open(path);
  } catch (error) {
    const holder = await readFile(`${path}.pid`, 'utf8').catch(() => null);
    if (holder === null || !errorMessage(error).includes('another process')) throw error;
    throw new AppError('io-failed', `the database ${path} is in use by the process ${holder.trim()}`);
  }
}

async function migrate(db: Kysely<Tables>, engine: EngineName): Promise<void> {
  const migrations: Record<string, Migration> = { '0001-initial': initialSchema(engine) };
  await refuseNewer(db, Object.keys(migrations));
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new AppError('io-failed', 'the database schema could not be set up', { cause: error });
}

async function refuseNewer(db: Kysely<Tables>, known: readonly string[]): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === 'kysely_migration')) return;
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  const unknown = rows.map(({ name }) => name).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const steps = unknown.join(', ');
  throw new AppError('config-invalid', `the database is newer than this program (${steps}); start the newer program`);
}
