import { sql, type Kysely } from 'kysely';
import type { ApiTokenRow, NewUser, UserChange, UserRow, UserSessionRow } from './access-schema.ts';
import type { ApiTokenStore, UserSessionStore, UserStore } from './access-store.ts';
import type { EngineName } from './open-database.ts';
import { pageByName } from './page-cursor.ts';
import type { Tables } from './schema.ts';
import type { Page, PageQuery } from './store.ts';

export class KyselyUsers implements UserStore {
  readonly #db: Kysely<Tables>;
  readonly #engine: EngineName;

  constructor(db: Kysely<Tables>, engine: EngineName) {
    this.#db = db;
    this.#engine = engine;
  }

  async lock(): Promise<void> {
    // The embedded database has one transaction at a time.
    if (this.#engine === 'postgres') await sql`lock table users in share row exclusive mode`.execute(this.#db);
  }

  page(query: PageQuery): Promise<Page<UserRow>> {
    return pageByName(this.#db.selectFrom('users').selectAll(), query);
  }

  async get(id: string): Promise<UserRow | null> {
    return (await this.#db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
  }

  async byName(name: string): Promise<UserRow | null> {
    const query = this.#db
      .selectFrom('users')
      .selectAll()
      .where(sql<boolean>`lower(name) = lower(${name})`);
    return (await query.executeTakeFirst()) ?? null;
  }

  async bySubject(subject: string): Promise<UserRow | null> {
    const query = this.#db.selectFrom('users').selectAll().where('oidc_subject', '=', subject);
    return (await query.executeTakeFirst()) ?? null;
  }

  async insert(user: NewUser): Promise<boolean> {
    const inserted = await this.#db
      .insertInto('users')
      .values(user)
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    return inserted !== undefined;
  }

  async change(id: string, change: UserChange, generation?: number): Promise<UserRow | null> {
    let query = this.#db
      .updateTable('users')
      .set({ ...change, generation: sql<number>`generation + 1` })
      .where('id', '=', id);
    if (generation !== undefined) query = query.where('generation', '=', generation);
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async remove(id: string, generation?: number): Promise<boolean> {
    let query = this.#db.deleteFrom('users').where('id', '=', id);
    if (generation !== undefined) query = query.where('generation', '=', generation);
    return (await query.returning('id').executeTakeFirst()) !== undefined;
  }

  async count(): Promise<number> {
    const query = this.#db.selectFrom('users').select(sql<number>`count(*)`.as('count'));
    return (await query.executeTakeFirstOrThrow()).count;
  }

  async countAdmins(): Promise<number> {
    const query = this.#db
      .selectFrom('users')
      .select(sql<number>`count(*)`.as('count'))
      .where('role', '=', 'admin')
      .where('disabled_at', 'is', null);
    return (await query.executeTakeFirstOrThrow()).count;
  }
}

export class KyselyUserSessions implements UserSessionStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async insert(session: UserSessionRow): Promise<void> {
    await this.#db.insertInto('user_sessions').values(session).execute();
  }

  async get(tokenHash: string): Promise<UserSessionRow | null> {
    const query = this.#db.selectFrom('user_sessions').selectAll().where('token_hash', '=', tokenHash);
    return (await query.executeTakeFirst()) ?? null;
  }

  async touch(tokenHash: string, at: number): Promise<void> {
    await this.#db.updateTable('user_sessions').set({ last_used_at: at }).where('token_hash', '=', tokenHash).execute();
  }

  async remove(tokenHash: string): Promise<void> {
    await this.#db.deleteFrom('user_sessions').where('token_hash', '=', tokenHash).execute();
  }

  async removeOf(userId: string, keep?: string): Promise<void> {
    let query = this.#db.deleteFrom('user_sessions').where('user_id', '=', userId);
    if (keep !== undefined) query = query.where('token_hash', '!=', keep);
    await query.execute();
  }

  async removeExpired(now: number, idleSince: number): Promise<void> {
    await this.#db
      .deleteFrom('user_sessions')
      .where((where) => where.or([where('expires_at', '<=', now), where('last_used_at', '<=', idleSince)]))
      .execute();
  }

  countsByUser(): Promise<readonly { user_id: string; count: number; last_used_at: number }[]> {
    return this.#db
      .selectFrom('user_sessions')
      .select(['user_id', sql<number>`count(*)`.as('count'), sql<number>`max(last_used_at)`.as('last_used_at')])
      .groupBy('user_id')
      .execute();
  }
}

export class KyselyApiTokens implements ApiTokenStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  page(query: PageQuery): Promise<Page<ApiTokenRow>> {
    return pageByName(this.#db.selectFrom('api_tokens').selectAll(), query);
  }

  async get(id: string): Promise<ApiTokenRow | null> {
    return (await this.#db.selectFrom('api_tokens').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
  }

  async byHash(hash: string): Promise<ApiTokenRow | null> {
    return (await this.#db.selectFrom('api_tokens').selectAll().where('hash', '=', hash).executeTakeFirst()) ?? null;
  }

  async insert(token: ApiTokenRow): Promise<void> {
    await this.#db.insertInto('api_tokens').values(token).execute();
  }

  async touch(id: string, at: number): Promise<void> {
    await this.#db.updateTable('api_tokens').set({ last_used_at: at }).where('id', '=', id).execute();
  }

  async remove(id: string): Promise<boolean> {
    const removed = await this.#db.deleteFrom('api_tokens').where('id', '=', id).returning('id').executeTakeFirst();
    return removed !== undefined;
  }
}
