import { sql, type Kysely } from 'kysely';
import { pageByName } from './page-cursor.ts';
import type { DriftChange, DriftRow, Tables } from './schema.ts';
import type { DriftStore, Page, PageQuery } from './store.ts';

export class KyselyDrift implements DriftStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  page(options: PageQuery & { readonly nodeId?: string; readonly muted?: boolean }): Promise<Page<DriftRow>> {
    const { nodeId, muted, ...page } = options;
    let query = this.#db.selectFrom('drift').selectAll().where('resolved_at', 'is', null);
    if (nodeId !== undefined) query = query.where('node_id', '=', nodeId);
    if (muted === true) query = query.whereRef('muted_fingerprint', '=', 'fingerprint');
    if (muted === false)
      query = query.where(sql<boolean>`(muted_fingerprint is null or muted_fingerprint <> fingerprint)`);
    return pageByName(query, page);
  }

  async get(id: string): Promise<DriftRow | null> {
    const row = await this.#db.selectFrom('drift').selectAll().where('id', '=', id).executeTakeFirst();
    return row ?? null;
  }

  openOf(nodeId: string): Promise<readonly DriftRow[]> {
    const query = this.#db.selectFrom('drift').selectAll().where('node_id', '=', nodeId);
    return query.where('resolved_at', 'is', null).execute();
  }

  async insert(drift: DriftRow): Promise<boolean> {
    const query = this.#db
      .insertInto('drift')
      .values(drift)
      .onConflict((conflict) => conflict.doNothing());
    return (await query.returning('id').executeTakeFirst()) !== undefined;
  }

  async change(id: string, change: DriftChange): Promise<DriftRow | null> {
    const query = this.#db.updateTable('drift').set(change).where('id', '=', id).where('resolved_at', 'is', null);
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async countsByNode(
    nodeIds?: readonly string[],
  ): Promise<readonly { node_id: string; kind: DriftRow['kind']; count: number }[]> {
    if (nodeIds?.length === 0) return [];
    let query = this.#db
      .selectFrom('drift')
      .select(['node_id', 'kind', sql<number>`count(*)`.as('count')])
      .where('resolved_at', 'is', null)
      .where(sql<boolean>`(muted_fingerprint is null or muted_fingerprint <> fingerprint)`)
      .groupBy(['node_id', 'kind']);
    if (nodeIds !== undefined) query = query.where('node_id', 'in', nodeIds);
    return query.execute();
  }

  async forgetResolved(before: number): Promise<void> {
    await this.#db.deleteFrom('drift').where('resolved_at', '<', before).execute();
  }
}
