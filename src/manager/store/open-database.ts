import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';
import { Kysely, sql, type RawBuilder } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { LoopPulse } from '../../lib/loop-pulse.ts';
import { lostSecret } from './access-schema.ts';
import type { Doorbell } from './doorbell.ts';
import { initialSchema } from './migrations/0001-initial.ts';
import { makeLaterIndexes } from './migrations/later-indexes.ts';
import type { Tables } from './schema.ts';
import { sealedValues } from './sealed-values.ts';
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
  /** Notifies other instances of changes, and is notified; null where there are none. */
  readonly doorbell: (onRing: (text: string) => void, onMissed: () => void) => Doorbell | null;
  /** Statements so far that could change something; null where the engine is not asked. */
  writes(): number | null;
  /** A sealed value that does not begin so; null where there is none. */
  sealedWithOther(prefix: string): Promise<string | null>;
  /** Drops sealed values that do not begin so, and marks the keys of their tunnels as unknown. */
  forgetSealed(prefix: string, now: number): Promise<void>;
  close(): Promise<void>;
}

export interface OpenDatabaseOptions {
  readonly clock: Clock;
  /** A direct connection for notices, where the URL goes through a pooler. */
  readonly listenUrl?: string | null;
  /** Errors of idle connections. */
  readonly onError: (error: Error) => void;
  /** Of the event loop that the thread of an embedded database watches. */
  readonly loopPulse?: LoopPulse;
  /** Leaves the schema alone; one that no program of this kind wrote is refused. */
  readonly asItIs?: boolean;
}

const sqliteNow = sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;
const postgresNow = sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`;

/**
 * Opens `sqlite:PATH` or `postgres://…` and brings its schema up to date. Rejects with AppError `io-failed` when it
 * cannot be reached or is open in another process, and `config-invalid` when a newer program wrote it.
 */
export async function openDatabase(url: string, options: OpenDatabaseOptions): Promise<OpenDatabase> {
  const path = sqlitePathOf(url);
  const opened = path === null ? await openPostgres(url, options) : await openSqlite(path, options.loopPulse ?? null);
  try {
    await migrate(opened.db, opened.engine, options.asItIs === true);
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** `sqlite:state/manager.db` → `state/manager.db`; null for PostgreSQL. */
export function sqlitePathOf(url: string): string | null {
  return /^sqlite:(.+)$/.exec(url)?.[1] ?? null;
}

async function openPostgres(url: string, { clock, listenUrl, onError }: OpenDatabaseOptions): Promise<OpenDatabase> {
  // Loaded here, so that other databases do not pay for it.
  const [{ postgresPool }, { PostgresDoorbell }] = await Promise.all([
    import('./postgres.ts'),
    import('./doorbell.ts'),
  ]);
  const { dialect, pool } = postgresPool(url, onError);
  const db = new Kysely<Tables>({ dialect });
  return {
    engine: 'postgres',
    db,
    now: postgresNow,
    backup: null,
    doorbell: (onRing, onMissed) => new PostgresDoorbell(listenUrl ?? url, pool, clock, { onRing, onMissed }),
    writes: () => null,
    ...keyChecks(db),
    close: () => db.destroy(),
  };
}

async function openSqlite(path: string, loopPulse: LoopPulse | null): Promise<OpenDatabase> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const worker = await openOrNameHolder(path, loopPulse);
  const db = new Kysely<Tables>({ dialect: new SqliteWorkerDialect(worker) });
  await writeFile(`${path}.pid`, `${process.pid}\n`);
  return {
    engine: 'sqlite',
    db,
    now: sqliteNow,
    backup: (target) => worker.backup(target),
    doorbell: () => null,
    writes: () => worker.writes,
    ...keyChecks(db),
    async close() {
      await db.destroy();
      await rm(`${path}.pid`, { force: true });
    },
  };
}

async function openOrNameHolder(path: string, loopPulse: LoopPulse | null): Promise<SqliteWorker> {
  try {
    return await SqliteWorker.open(path, loopPulse);
  } catch (error) {
    const holder = await readFile(`${path}.pid`, 'utf8').catch(() => null);
    if (holder === null || !errorMessage(error).includes('another process')) throw error;
    throw new AppError('io-failed', `the database ${path} is in use by the process ${holder.trim()}`);
  }
}

async function migrate(db: Kysely<Tables>, engine: EngineName, asItIs: boolean): Promise<void> {
  const migrations: Record<string, Migration> = { '0001-initial': initialSchema(engine) };
  const isOurs = await refuseNewer(db, Object.keys(migrations));
  if (asItIs) {
    if (isOurs) return;
    throw new AppError('config-invalid', 'the database is not one of a manager');
  }
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new AppError('io-failed', 'the database schema could not be set up', { cause: error });
  await makeLaterIndexes(db, engine);
}

/** Returns whether a program of this kind has written it. */
async function refuseNewer(db: Kysely<Tables>, known: readonly string[]): Promise<boolean> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === 'kysely_migration')) return false;
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  const unknown = rows.map(({ name }) => name).filter((name) => !known.includes(name));
  if (unknown.length === 0) return true;
  const steps = unknown.join(', ');
  throw new AppError('config-invalid', `the database is newer than this program (${steps}); start the newer program`);
}

function keyChecks(db: Kysely<Tables>): Pick<OpenDatabase, 'sealedWithOther' | 'forgetSealed'> {
  return {
    async sealedWithOther(prefix) {
      const other = (await sealedValues({ db })).find(({ sealed }) => !sealed.startsWith(prefix));
      return other?.sealed ?? null;
    },
    async forgetSealed(prefix, now) {
      const foreign = `${prefix}%`;
      await db.transaction().execute(async (inside) => {
        await inside
          .updateTable('tunnels')
          .set({ encryption_key_sealed: null, bind_secret_sealed: null, keys_unknown_at: now })
          .where((is) =>
            is.or([is('bind_secret_sealed', 'not like', foreign), is('encryption_key_sealed', 'not like', foreign)]),
          )
          .execute();
        await inside
          .updateTable('webhooks')
          .set({ secret_sealed: lostSecret, disabled_at: now })
          .where('secret_sealed', 'not like', foreign)
          .where('secret_sealed', '!=', lostSecret)
          .execute();
      });
    },
  };
}
