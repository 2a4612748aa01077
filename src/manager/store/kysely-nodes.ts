import { sql, type Kysely } from 'kysely';
import { pageByName } from './page-cursor.ts';
import type { NewNode, NodeChange, NodeRow, NodeSecretRow, SecretState, Tables } from './schema.ts';
import type { NodeStore, Page, PageQuery, SecretStore } from './store.ts';

export class KyselyNodes implements NodeStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  page({ kind, ...page }: PageQuery & { readonly kind?: NodeRow['kind'] }): Promise<Page<NodeRow>> {
    let query = this.#db.selectFrom('nodes').selectAll();
    if (kind !== undefined) query = query.where('kind', '=', kind);
    return pageByName(query, page);
  }

  async get(id: string): Promise<NodeRow | null> {
    const row = await this.#db.selectFrom('nodes').selectAll().where('id', '=', id).executeTakeFirst();
    return row ?? null;
  }

  async all(ids?: readonly string[]): Promise<readonly NodeRow[]> {
    if (ids?.length === 0) return [];
    const query = this.#db.selectFrom('nodes').selectAll();
    return (ids === undefined ? query : query.where('id', 'in', ids)).execute();
  }

  async byName(name: string): Promise<NodeRow | null> {
    return (await this.#db.selectFrom('nodes').selectAll().where('name', '=', name).executeTakeFirst()) ?? null;
  }

  async byRegistration(hash: string): Promise<NodeRow | null> {
    const query = this.#db.selectFrom('nodes').selectAll().where('registration_hash', '=', hash);
    return (await query.executeTakeFirst()) ?? null;
  }

  async insert(node: NewNode): Promise<boolean> {
    const query = this.#db
      .insertInto('nodes')
      .values(node)
      .onConflict((conflict) => conflict.column('name').doNothing());
    return (await query.returning('id').executeTakeFirst()) !== undefined;
  }

  async change(id: string, change: NodeChange, generation?: number): Promise<NodeRow | null> {
    let query = this.#db.updateTable('nodes').set(change).where('id', '=', id);
    if (generation !== undefined) query = query.where('generation', '=', generation);
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async remove(id: string): Promise<boolean> {
    return (await this.#db.deleteFrom('nodes').where('id', '=', id).returning('id').executeTakeFirst()) !== undefined;
  }
}

export class KyselySecrets implements SecretStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  of(nodeId: string): Promise<readonly NodeSecretRow[]> {
    return this.#db
      .selectFrom('node_secrets')
      .selectAll()
      .where('node_id', '=', nodeId)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
  }

  async insert(secret: NodeSecretRow): Promise<void> {
    await this.#db.insertInto('node_secrets').values(secret).execute();
  }

  async setState(id: string, state: SecretState, at: number): Promise<void> {
    const when = state === 'in_use' ? { first_used_at: at } : { acknowledged_at: at };
    let query = this.#db
      .updateTable('node_secrets')
      .set({ state, ...when })
      .where('id', '=', id);
    // A late ack must not take a secret back from `in_use`.
    if (state === 'acknowledged') query = query.where('state', '=', 'issued');
    await query.execute();
  }

  async removeOlder({ node_id, created_at, id }: NodeSecretRow): Promise<void> {
    await this.#db
      .deleteFrom('node_secrets')
      .where('node_id', '=', node_id)
      .where(sql<boolean>`(created_at, id) < (${created_at}, ${id})`)
      .execute();
  }
}
