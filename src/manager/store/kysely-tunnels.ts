import { sql, type Kysely } from 'kysely';
import { pageByName } from './page-cursor.ts';
import type { NewTunnel, Tables, TunnelChange, TunnelRelayRow, TunnelRow } from './schema.ts';
import type { Page, TunnelQuery, TunnelStore } from './store.ts';

export class KyselyTunnels implements TunnelStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  page({ removed = false, nodeId, ...page }: TunnelQuery): Promise<Page<TunnelRow>> {
    let query = this.#db.selectFrom('tunnels').selectAll();
    query = query.where('removed_at', removed ? 'is not' : 'is', null);
    if (nodeId !== undefined) query = query.where(this.#uses(nodeId));
    return pageByName(query, page);
  }

  async get(id: string): Promise<TunnelRow | null> {
    const row = await this.#db.selectFrom('tunnels').selectAll().where('id', '=', id).executeTakeFirst();
    return row ?? null;
  }

  async all(ids?: readonly string[]): Promise<readonly TunnelRow[]> {
    if (ids?.length === 0) return [];
    const query = this.#db.selectFrom('tunnels').selectAll();
    return (ids === undefined ? query : query.where('id', 'in', ids)).execute();
  }

  using(nodeId: string): Promise<readonly TunnelRow[]> {
    return this.#db
      .selectFrom('tunnels')
      .selectAll()
      .where('removed_at', 'is', null)
      .where(this.#uses(nodeId))
      .orderBy('name')
      .execute();
  }

  async insert(tunnel: NewTunnel): Promise<void> {
    await this.#db.insertInto('tunnels').values(tunnel).execute();
  }

  async change(id: string, change: TunnelChange, generation?: number): Promise<TunnelRow | null> {
    let query = this.#db.updateTable('tunnels').set(change).where('id', '=', id);
    if (generation !== undefined) query = query.where('generation', '=', generation);
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async relays(ids: readonly string[]): Promise<readonly TunnelRelayRow[]> {
    if (ids.length === 0) return [];
    const query = this.#db.selectFrom('tunnel_relays').selectAll().where('tunnel_id', 'in', ids);
    return query.orderBy('tunnel_id').orderBy('position').execute();
  }

  async setRelays(id: string, relays: readonly TunnelRelayRow[]): Promise<void> {
    await this.#db.deleteFrom('tunnel_relays').where('tunnel_id', '=', id).execute();
    if (relays.length > 0) await this.#db.insertInto('tunnel_relays').values(relays).execute();
  }

  async countByRelay(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#db
      .selectFrom('tunnel_relays')
      .innerJoin('tunnels', 'tunnels.id', 'tunnel_relays.tunnel_id')
      .where('tunnels.removed_at', 'is', null)
      .select(['relay_node_id', sql<number>`count(*)`.as('count')])
      .groupBy('relay_node_id')
      .execute();
    return new Map(rows.map(({ relay_node_id, count }) => [relay_node_id, count]));
  }

  async forgetRemoved(before: number): Promise<void> {
    await this.#db.deleteFrom('tunnels').where('removed_at', '<', before).where(this.#noLegs()).execute();
  }

  #uses(nodeId: string) {
    const relayed = this.#db.selectFrom('tunnel_relays').select('tunnel_id').where('relay_node_id', '=', nodeId);
    return sql<boolean>`(source_node_id = ${nodeId} or destination_node_id = ${nodeId} or id in ${relayed})`;
  }

  /** Legs that still wait for their node to forget the tunnel keep it. */
  #noLegs() {
    return sql<boolean>`id not in (select tunnel_id from legs where tunnel_id is not null)`;
  }
}
