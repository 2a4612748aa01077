import { sql, type Kysely } from 'kysely';
import type { AuditRow } from './access-schema.ts';
import type { AuditReader } from './access-store.ts';
import { likeText } from './page-cursor.ts';
import type { Tables } from './schema.ts';

const anchorKey = 'audit.anchor';

export class KyselyTrail implements AuditReader {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  page({ limit, after, q }: { limit: number; after: number | null; q?: string }): Promise<readonly AuditRow[]> {
    let query = this.#db.selectFrom('audit').selectAll();
    if (after !== null) query = query.where('id', '<', after);
    if (q) {
      const pattern = likeText(q);
      query = query.where(
        sql<boolean>`lower(actor || ' ' || action || ' ' || coalesce(target, '')) like lower(${pattern}) escape '\\'`,
      );
    }
    return query.orderBy('id', 'desc').limit(limit).execute();
  }

  chain(after: number, limit: number): Promise<readonly AuditRow[]> {
    return this.#db.selectFrom('audit').selectAll().where('id', '>', after).orderBy('id').limit(limit).execute();
  }

  ofTarget(target: string, actions: string, limit: number): Promise<readonly AuditRow[]> {
    const query = this.#db
      .selectFrom('audit')
      .selectAll()
      .where('target', '=', target)
      .where('action', 'like', `${actions}%`);
    return query.orderBy('id', 'desc').limit(limit).execute();
  }

  async prune(before: number): Promise<void> {
    const kept = this.#db
      .selectFrom('audit')
      .select(sql<number>`min(id)`.as('id'))
      .where('at', '>=', before);
    const last = await this.#db
      .selectFrom('audit')
      .select(['id', 'hash', 'at'])
      .where('at', '<', before)
      .where((where) => where('id', '<', sql<number>`coalesce(${kept}, ${Number.MAX_SAFE_INTEGER})`))
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (last === undefined) return;
    await this.#db
      .insertInto('settings')
      .values({ key: anchorKey, value: JSON.stringify(last.hash), updated_at: last.at })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: JSON.stringify(last.hash) }))
      .execute();
    await this.#db.deleteFrom('audit').where('id', '<=', last.id).execute();
  }

  async anchor(): Promise<string> {
    const query = this.#db.selectFrom('settings').select('value').where('key', '=', anchorKey);
    const row = await query.executeTakeFirst();
    const value: unknown = row === undefined ? '' : JSON.parse(row.value);
    return typeof value === 'string' ? value : '';
  }
}
