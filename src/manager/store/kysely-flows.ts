import { sql, type Kysely } from 'kysely';
import type { EngineName } from './open-database.ts';
import { pageByName } from './page-cursor.ts';
import type { FlowChange, FlowRow, Tables } from './schema.ts';
import type { FlowStore, Page, TunnelQuery } from './store.ts';

export class KyselyFlows implements FlowStore {
  readonly #db: Kysely<Tables>;
  readonly #engine: EngineName;

  constructor(db: Kysely<Tables>, engine: EngineName) {
    this.#db = db;
    this.#engine = engine;
  }

  async lock(): Promise<void> {
    // The embedded database has one transaction at a time.
    if (this.#engine !== 'postgres') return;
    await sql`lock table managed_flows in share row exclusive mode`.execute(this.#db);
  }

  page({ removed = false, nodeId, ...page }: TunnelQuery): Promise<Page<FlowRow>> {
    let query = this.#db.selectFrom('managed_flows').selectAll();
    query = query.where('removed_at', removed ? 'is not' : 'is', null);
    if (nodeId !== undefined) query = query.where('node_id', '=', nodeId);
    return pageByName(query, page);
  }

  async get(id: string): Promise<FlowRow | null> {
    const row = await this.#db.selectFrom('managed_flows').selectAll().where('id', '=', id).executeTakeFirst();
    return row ?? null;
  }

  ofNode(nodeId: string): Promise<readonly FlowRow[]> {
    return this.#db.selectFrom('managed_flows').selectAll().where('node_id', '=', nodeId).execute();
  }

  async insert(flow: FlowRow): Promise<void> {
    await this.#db.insertInto('managed_flows').values(flow).execute();
  }

  async change(id: string, change: FlowChange, generation?: number): Promise<FlowRow | null> {
    let query = this.#db.updateTable('managed_flows').set(change).where('id', '=', id);
    if (generation !== undefined) query = query.where('generation', '=', generation);
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async forgetRemoved(before: number): Promise<void> {
    await this.#db
      .deleteFrom('managed_flows')
      .where('removed_at', '<', before)
      .where(sql<boolean>`id not in (select flow_id from legs where flow_id is not null)`)
      .execute();
  }
}
