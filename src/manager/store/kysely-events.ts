import { sql, type Kysely } from 'kysely';
import { likeText } from './page-cursor.ts';
import type { EventRow, NewEvent, Severity, Tables } from './schema.ts';
import type { EventQuery, EventStore } from './store.ts';

/** Thirteen parameters each: below 5 000 for a statement. */
const rowsPerStatement = 350;

export class KyselyEvents implements EventStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async insert(events: readonly NewEvent[]): Promise<readonly EventRow[]> {
    const slices = [];
    for (let from = 0; from < events.length; from += rowsPerStatement) {
      slices.push(events.slice(from, from + rowsPerStatement));
    }
    const inserted = await Promise.all(
      slices.map((slice) =>
        this.#db
          .insertInto('events')
          .values(slice)
          .onConflict((conflict) => conflict.columns(['node_id', 'event_id']).doNothing())
          .returningAll()
          .execute(),
      ),
    );
    return inserted.flat();
  }

  page({ limit, after, ...filter }: EventQuery): Promise<readonly EventRow[]> {
    let query = this.#db.selectFrom('events').selectAll();
    for (const condition of conditions(filter)) query = query.where(condition);
    if (after !== undefined && after !== null) {
      query = query.where(
        sql<boolean>`(raised_at, id) < (coalesce((select raised_at from events where id = ${after}), 0), ${after})`,
      );
    }
    return query.orderBy('raised_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
  }

  async count(filter: Omit<EventQuery, 'limit' | 'after'>): Promise<number> {
    let query = this.#db.selectFrom('events').select(sql<number>`count(*)`.as('count'));
    for (const condition of conditions(filter)) query = query.where(condition);
    return (await query.executeTakeFirstOrThrow()).count;
  }

  async get(id: number): Promise<EventRow | null> {
    const row = await this.#db.selectFrom('events').selectAll().where('id', '=', id).executeTakeFirst();
    return row ?? null;
  }

  async acknowledge(ids: readonly number[], by: string, at: number): Promise<number> {
    if (ids.length === 0) return 0;
    const query = this.#db
      .updateTable('events')
      .set({ acknowledged_at: at, acknowledged_by: by })
      .where('id', 'in', ids)
      .where('acknowledged_at', 'is', null);
    return (await query.returning('id').execute()).length;
  }

  async prune(before: number, limit: number, severity?: Severity): Promise<number> {
    let old = this.#db.selectFrom('events').select('id').where('raised_at', '<', before);
    if (severity !== undefined) old = old.where('severity', '=', severity);
    const query = this.#db.deleteFrom('events').where('id', 'in', old.orderBy('raised_at').limit(limit));
    return (await query.returning('id').execute()).length;
  }
}

function conditions(filter: Omit<EventQuery, 'limit' | 'after'>) {
  const { nodeId, tunnelId, flowId, severity, category, text, from, to, unacknowledged } = filter;
  const wanted = [
    nodeId === undefined ? null : sql<boolean>`node_id = ${nodeId}`,
    tunnelId === undefined ? null : sql<boolean>`tunnel_id = ${tunnelId}`,
    flowId === undefined ? null : sql<boolean>`flow_id = ${flowId}`,
    severity === undefined ? null : sql<boolean>`severity = ${severity}`,
    category === undefined ? null : sql<boolean>`(category = ${category} or category like ${`${category}.%`})`,
    text === undefined ? null : sql<boolean>`lower(message) like lower(${likeText(text)}) escape '\\'`,
    from === undefined ? null : sql<boolean>`raised_at >= ${from}`,
    to === undefined ? null : sql<boolean>`raised_at < ${to}`,
    unacknowledged === true ? sql<boolean>`acknowledged_at is null` : null,
  ];
  return wanted.filter((condition) => condition !== null);
}
