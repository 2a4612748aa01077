import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { CommandRow, Tables } from './schema.ts';
import type { CommandStore, WatchStore } from './store.ts';

/** Results that were not fetched by then are of no use any more. */
const keptMs = 60_000;

export class KyselyCommands implements CommandStore {
  readonly #db: Kysely<Tables>;
  readonly #now: RawBuilder<number>;

  constructor(db: Kysely<Tables>, now: RawBuilder<number>) {
    this.#db = db;
    this.#now = now;
  }

  /** `deadline_at` is taken as the milliseconds from now by the database's clock. */
  async insert(command: CommandRow): Promise<void> {
    const deadline = sql<number>`${this.#now} + ${sql.lit(command.deadline_at)}`;
    await this.#db
      .insertInto('commands')
      .values({ ...command, deadline_at: deadline })
      .execute();
  }

  async claim(id: string, ownerId: string): Promise<CommandRow | null> {
    const query = this.#db
      .updateTable('commands')
      .set({ state: 'sent' })
      .where('id', '=', id)
      .where('owner_id', '=', ownerId)
      .where('state', '=', 'queued')
      .where('deadline_at', '>', this.#now);
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async queuedFor(ownerId: string): Promise<readonly string[]> {
    const rows = await this.#db
      .selectFrom('commands')
      .select('id')
      .where('owner_id', '=', ownerId)
      .where('state', '=', 'queued')
      .where('deadline_at', '>', this.#now)
      .execute();
    return rows.map(({ id }) => id);
  }

  async finish(id: string, result: string): Promise<void> {
    await this.#db.updateTable('commands').set({ state: 'done', result }).where('id', '=', id).execute();
  }

  async result(id: string): Promise<string | null> {
    const query = this.#db.selectFrom('commands').select('result').where('id', '=', id).where('state', '=', 'done');
    return (await query.executeTakeFirst())?.result ?? null;
  }

  async forgetOld(): Promise<void> {
    await this.#db
      .deleteFrom('commands')
      .where('deadline_at', '<', sql<number>`${this.#now} - ${sql.lit(keptMs)}`)
      .execute();
  }
}

export class KyselyWatches implements WatchStore {
  readonly #db: Kysely<Tables>;
  readonly #now: RawBuilder<number>;

  constructor(db: Kysely<Tables>, now: RawBuilder<number>) {
    this.#db = db;
    this.#now = now;
  }

  async watch(nodeId: string, instanceId: string, forMs: number): Promise<void> {
    const until_at = sql<number>`${this.#now} + ${sql.lit(forMs)}`;
    await this.#db
      .insertInto('watches')
      .values({ node_id: nodeId, instance_id: instanceId, until_at })
      .onConflict((conflict) => conflict.columns(['node_id', 'instance_id']).doUpdateSet({ until_at }))
      .execute();
  }

  async watched(nodeIds: readonly string[]): Promise<readonly string[]> {
    if (nodeIds.length === 0) return [];
    const rows = await this.#db
      .selectFrom('watches')
      .select('node_id')
      .distinct()
      .where('until_at', '>', this.#now)
      .where('node_id', 'in', nodeIds)
      .execute();
    return rows.map(({ node_id }) => node_id);
  }

  async put(rows: readonly { node_id: string; payload: string; at: number }[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#db
      .insertInto('node_live')
      .values(rows)
      .onConflict((conflict) =>
        conflict.column('node_id').doUpdateSet({ payload: sql.ref('excluded.payload'), at: sql.ref('excluded.at') }),
      )
      .execute();
  }

  async live(nodeIds: readonly string[]): Promise<readonly { node_id: string; payload: string; at: number }[]> {
    if (nodeIds.length === 0) return [];
    return this.#db.selectFrom('node_live').selectAll().where('node_id', 'in', nodeIds).execute();
  }
}
