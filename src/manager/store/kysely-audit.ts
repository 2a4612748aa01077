import { createHash } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { EngineName } from './open-database.ts';
import type { NewAudit } from './access-schema.ts';
import type { Tables } from './schema.ts';
import type { AuditStore } from './store.ts';

/** One writer at a time among all instances, so that the chain does not fork. */
const chainLock = 4_113_717;

export class KyselyAudit implements AuditStore {
  readonly #db: Kysely<Tables>;
  readonly #engine: EngineName;

  constructor(db: Kysely<Tables>, engine: EngineName) {
    this.#db = db;
    this.#engine = engine;
  }

  async append(entry: NewAudit): Promise<void> {
    if (this.#engine === 'postgres') await sql`select pg_advisory_xact_lock(${sql.lit(chainLock)})`.execute(this.#db);
    const last = await this.#db.selectFrom('audit').select('hash').orderBy('id', 'desc').limit(1).executeTakeFirst();
    const hash = auditHash(last?.hash ?? '', entry);
    await this.#db
      .insertInto('audit')
      .values({ ...entry, hash })
      .execute();
  }
}

/** SHA-256(previous hash ‖ the row's fields as a JSON list), lower-case hex. */
export function auditHash(previous: string, entry: NewAudit): string {
  const { at, actor, actor_kind, ip, action, target, before, after, outcome } = entry;
  const fields = [at, actor, actor_kind, ip ?? null, action, target ?? null, before ?? null, after ?? null, outcome];
  return createHash('sha256').update(previous).update(JSON.stringify(fields)).digest('hex');
}
