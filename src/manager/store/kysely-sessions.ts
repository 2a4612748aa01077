import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { InstanceRow, NodeSessionRow, Tables } from './schema.ts';
import type { InstanceStore, SessionClaim, SessionStore } from './store.ts';

export class KyselySessions implements SessionStore {
  readonly #db: Kysely<Tables>;
  readonly #now: RawBuilder<number>;

  constructor(db: Kysely<Tables>, now: RawBuilder<number>) {
    this.#db = db;
    this.#now = now;
  }

  async claim(nodeId: string, instanceId: string, remoteAddr: string, at: number): Promise<SessionClaim | null> {
    const numbered = await this.#db
      .updateTable('nodes')
      .set({ last_session: sql`last_session + 1`, last_seen_at: at })
      .where('id', '=', nodeId)
      // It may have been disabled since it was authenticated.
      .where('disabled_at', 'is', null)
      .returning('last_session')
      .executeTakeFirst();
    if (numbered === undefined) return null;
    const previous = await this.of(nodeId);
    const session = numbered.last_session;
    const row = { node_id: nodeId, session, instance_id: instanceId, remote_addr: remoteAddr, connected_at: at };
    await this.#db
      .insertInto('node_sessions')
      .values(row)
      .onConflict((conflict) =>
        conflict.column('node_id').doUpdateSet(row).where('node_sessions.session', '<', session),
      )
      .execute();
    return { session, previousInstanceId: previous?.instance_id ?? null };
  }

  async release(nodeId: string, session: number): Promise<boolean> {
    const query = this.#db.deleteFrom('node_sessions').where('node_id', '=', nodeId).where('session', '=', session);
    return (await query.returning('node_id').executeTakeFirst()) !== undefined;
  }

  async of(nodeId: string): Promise<NodeSessionRow | null> {
    const query = this.#db.selectFrom('node_sessions').selectAll().where('node_id', '=', nodeId);
    return (await query.executeTakeFirst()) ?? null;
  }

  async live(leaseMs: number, self: string, nodeIds?: readonly string[]): Promise<readonly NodeSessionRow[]> {
    if (nodeIds?.length === 0) return [];
    let query = this.#db
      .selectFrom('node_sessions')
      .selectAll()
      .where((where) => where.or([where('instance_id', '=', self), where('instance_id', 'in', this.#alive(leaseMs))]));
    if (nodeIds !== undefined) query = query.where('node_id', 'in', nodeIds);
    return query.execute();
  }

  async heldBy(instanceId: string): Promise<ReadonlyMap<string, number>> {
    const query = this.#db.selectFrom('node_sessions').select(['node_id', 'session']);
    const rows = await query.where('instance_id', '=', instanceId).execute();
    return new Map(rows.map(({ node_id: id, session }) => [id, session]));
  }

  adopt(from: string, to: string): Promise<readonly NodeSessionRow[]> {
    const query = this.#db.updateTable('node_sessions').set({ instance_id: to }).where('instance_id', '=', from);
    return query.returningAll().execute();
  }

  reap(leaseMs: number, self: string): Promise<readonly NodeSessionRow[]> {
    return this.#db
      .deleteFrom('node_sessions')
      .where('instance_id', '!=', self)
      .where('instance_id', 'not in', this.#alive(leaseMs))
      .returningAll()
      .execute();
  }

  #alive(leaseMs: number) {
    return this.#db
      .selectFrom('instances')
      .select('id')
      .where('heartbeat_at', '>', sql<number>`${this.#now} - ${sql.lit(leaseMs)}`);
  }
}

export class KyselyInstances implements InstanceStore {
  readonly #db: Kysely<Tables>;
  readonly #now: RawBuilder<number>;

  constructor(db: Kysely<Tables>, now: RawBuilder<number>) {
    this.#db = db;
    this.#now = now;
  }

  async register(instance: Omit<InstanceRow, 'heartbeat_at'>): Promise<void> {
    await this.#db
      .insertInto('instances')
      .values({ ...instance, heartbeat_at: this.#now })
      .execute();
  }

  async renew(id: string): Promise<boolean> {
    const query = this.#db.updateTable('instances').set({ heartbeat_at: this.#now }).where('id', '=', id);
    return (await query.returning('id').executeTakeFirst()) !== undefined;
  }

  all(): Promise<readonly (InstanceRow & { readonly age_ms: number })[]> {
    return this.#db
      .selectFrom('instances')
      .selectAll()
      .select(sql<number>`${this.#now} - heartbeat_at`.as('age_ms'))
      .orderBy('started_at')
      .execute();
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom('instances').where('id', '=', id).execute();
  }

  async forgetOlder(ageMs: number): Promise<void> {
    await this.#db
      .deleteFrom('instances')
      .where('heartbeat_at', '<', sql<number>`${this.#now} - ${sql.lit(ageMs)}`)
      .execute();
  }
}
