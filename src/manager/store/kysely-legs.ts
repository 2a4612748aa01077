import { sql, type Kysely } from 'kysely';
import type { LegChange, LegRole, LegRow, PushStatus, Tables } from './schema.ts';
import type { LegStore, PushGuard } from './store.ts';

interface Seen {
  readonly generation: number;
  readonly status: PushStatus;
}

export class KyselyLegs implements LegStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  ofNode(nodeId: string): Promise<readonly LegRow[]> {
    return this.#db.selectFrom('legs').selectAll().where('node_id', '=', nodeId).execute();
  }

  async ofTunnels(ids: readonly string[]): Promise<readonly LegRow[]> {
    if (ids.length === 0) return [];
    return this.#db.selectFrom('legs').selectAll().where('tunnel_id', 'in', ids).orderBy('role').execute();
  }

  async ofFlows(ids: readonly string[]): Promise<readonly LegRow[]> {
    if (ids.length === 0) return [];
    return this.#db.selectFrom('legs').selectAll().where('flow_id', 'in', ids).execute();
  }

  async changedSince(nodeIds: readonly string[], since: number): Promise<readonly LegRow[]> {
    if (nodeIds.length === 0) return [];
    return this.#db
      .selectFrom('legs')
      .selectAll()
      .where('push_status', '=', 'pending')
      .where('updated_at', '>=', since)
      .where('node_id', 'in', nodeIds)
      .execute();
  }

  async insert(legs: readonly LegRow[]): Promise<void> {
    if (legs.length > 0) await this.#db.insertInto('legs').values(legs).execute();
  }

  async want(id: string, change: LegChange): Promise<LegRow | null> {
    const renewed = { push_status: 'pending', push_error: null, push_error_code: null, attempts: 0, failed_for_ms: 0 };
    const query = this.#db
      .updateTable('legs')
      .set({ ...change, ...renewed, push_status: 'pending', generation: sql`generation + 1` })
      .where('id', '=', id);
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async beginPush(
    id: string,
    { generation }: { readonly generation: number },
    guard: PushGuard,
  ): Promise<LegRow | null> {
    const query = this.#db
      .updateTable('legs')
      .set({
        push_status: 'pushing',
        session: guard.session,
        command_id: guard.commandId,
        attempts: sql`attempts + 1`,
      })
      .where('id', '=', id)
      .where('generation', '=', generation)
      .where('push_status', 'in', ['pending', 'failed'])
      .where(isNewestSession(guard.session));
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async endPush(
    id: string,
    { session, commandId }: PushGuard,
    status: 'pushed' | 'failed',
    change: LegChange,
  ): Promise<LegRow | null> {
    const query = this.#db
      .updateTable('legs')
      .set({
        ...change,
        push_status: sql<PushStatus>`case when push_status = 'pushing' then ${status} else push_status end`,
      })
      .where('id', '=', id)
      .where('session', '=', session)
      .where('command_id', '=', commandId)
      .where('push_status', 'in', ['pushing', 'pending']);
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async confirm(id: string, { generation }: { readonly generation: number }, session: number): Promise<boolean> {
    const query = this.#db
      .updateTable('legs')
      .set({
        push_status: 'pushed',
        pushed_generation: generation,
        push_error: null,
        push_error_code: null,
        failed_for_ms: 0,
        session,
      })
      .where('id', '=', id)
      .where('generation', '=', generation)
      .where(isNewestSession(session));
    return (await query.returning('id').executeTakeFirst()) !== undefined;
  }

  left(nodeId: string, session: number): Promise<readonly LegRow[]> {
    return this.#db
      .updateTable('legs')
      .set({ push_status: 'pending', session: null, command_id: null })
      .where('node_id', '=', nodeId)
      .where('session', '=', session)
      .where(
        sql<boolean>`(push_status = 'pushing'
        or (push_status = 'pushed' and want = 'present' and role in ('relay', 'secondary_relay')))`,
      )
      .returningAll()
      .execute();
  }

  async change(id: string, { generation, status }: Seen, change: LegChange): Promise<LegRow | null> {
    const query = this.#db
      .updateTable('legs')
      .set(change)
      .where('id', '=', id)
      .where('generation', '=', generation)
      .where('push_status', '=', status);
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async remove(id: string, { generation }: { readonly generation: number }): Promise<boolean> {
    const query = this.#db
      .deleteFrom('legs')
      .where('id', '=', id)
      .where('generation', '=', generation)
      .where('want', '=', 'absent');
    return (await query.returning('id').executeTakeFirst()) !== undefined;
  }

  async releaseOrphans(nodeId?: string): Promise<void> {
    const query = this.#db.updateTable('legs').set({ push_status: 'pending', session: null, command_id: null })
      .where(sql<boolean>`(push_status = 'pushing'
        or (push_status = 'pushed' and want = 'present' and role in ('relay', 'secondary_relay')))`)
      .where(sql<boolean>`not exists (select 1 from node_sessions s
        where s.node_id = legs.node_id and s.session = legs.session)`);
    await (nodeId === undefined ? query : query.where('node_id', '=', nodeId)).execute();
  }

  async counts(): Promise<readonly { role: LegRole; push_status: PushStatus; count: number }[]> {
    return this.#db
      .selectFrom('legs')
      .select(['role', 'push_status', sql<number>`count(*)`.as('count')])
      .groupBy(['role', 'push_status'])
      .execute();
  }

  async countsByNode(
    nodeIds: readonly string[],
  ): Promise<readonly { node_id: string; push_status: PushStatus; count: number }[]> {
    if (nodeIds.length === 0) return [];
    return this.#db
      .selectFrom('legs')
      .select(['node_id', 'push_status', sql<number>`count(*)`.as('count')])
      .where('node_id', 'in', nodeIds)
      .groupBy(['node_id', 'push_status'])
      .execute();
  }
}

/** An instance that still works for an older session of the node changes nothing. */
function isNewestSession(session: number) {
  return sql<boolean>`exists (select 1 from node_sessions s where s.node_id = legs.node_id and s.session = ${session})`;
}
