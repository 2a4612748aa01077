import { sql, type Kysely } from 'kysely';
import type { WebhookChange, WebhookDeliveryRow, WebhookRow } from './access-schema.ts';
import type { DeliveryStore, WebhookStore } from './access-store.ts';
import { pageByName } from './page-cursor.ts';
import type { Tables } from './schema.ts';
import type { Page, PageQuery } from './store.ts';

export class KyselyWebhooks implements WebhookStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  page(query: PageQuery): Promise<Page<WebhookRow>> {
    return pageByName(this.#db.selectFrom('webhooks').selectAll(), query);
  }

  all(): Promise<readonly WebhookRow[]> {
    return this.#db.selectFrom('webhooks').selectAll().execute();
  }

  async get(id: string): Promise<WebhookRow | null> {
    return (await this.#db.selectFrom('webhooks').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
  }

  async insert(webhook: Omit<WebhookRow, 'generation'>): Promise<void> {
    await this.#db.insertInto('webhooks').values(webhook).execute();
  }

  async change(id: string, change: WebhookChange, generation?: number): Promise<WebhookRow | null> {
    let query = this.#db
      .updateTable('webhooks')
      .set({ ...change, generation: sql<number>`generation + 1` })
      .where('id', '=', id);
    if (generation !== undefined) query = query.where('generation', '=', generation);
    return (await query.returningAll().executeTakeFirst()) ?? null;
  }

  async remove(id: string, generation?: number): Promise<boolean> {
    let query = this.#db.deleteFrom('webhooks').where('id', '=', id);
    if (generation !== undefined) query = query.where('generation', '=', generation);
    return (await query.returning('id').executeTakeFirst()) !== undefined;
  }
}

export class KyselyDeliveries implements DeliveryStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async insert(deliveries: readonly WebhookDeliveryRow[]): Promise<void> {
    if (deliveries.length > 0) await this.#db.insertInto('webhook_deliveries').values(deliveries).execute();
  }

  claim(now: number, untilMs: number, claimant: string, limit: number): Promise<readonly WebhookDeliveryRow[]> {
    const due = this.#db
      .selectFrom('webhook_deliveries')
      .select('id')
      .where('done_at', 'is', null)
      .where('next_attempt_at', '<=', now)
      .orderBy('next_attempt_at')
      .limit(limit);
    return this.#db
      .updateTable('webhook_deliveries')
      .set({ claimed_by: claimant, next_attempt_at: untilMs })
      .where('id', 'in', due)
      .where('next_attempt_at', '<=', now)
      .returningAll()
      .execute();
  }

  async change(id: string, change: Partial<WebhookDeliveryRow>): Promise<void> {
    await this.#db.updateTable('webhook_deliveries').set(change).where('id', '=', id).execute();
  }

  async giveUp(webhookId: string, at: number, why: string): Promise<void> {
    const waiting = this.#db.updateTable('webhook_deliveries').set({ done_at: at, last_error: why });
    await waiting.where('webhook_id', '=', webhookId).where('done_at', 'is', null).execute();
  }

  async latest(): Promise<readonly { webhook_id: string; at: number; error: string | null; waiting: number }[]> {
    const { rows } = await sql<{ webhook_id: string; at: number; error: string | null; waiting: number }>`
      select webhook_id, max(coalesce(done_at, created_at)) as at,
        (select last_error from webhook_deliveries newest where newest.webhook_id = webhook_deliveries.webhook_id
          and newest.attempts > 0 order by coalesce(newest.done_at, newest.created_at) desc limit 1) as error,
        sum(case when done_at is null then 1 else 0 end) as waiting
      from webhook_deliveries where attempts > 0 group by webhook_id`.execute(this.#db);
    return rows;
  }

  async forgetDone(before: number): Promise<void> {
    await this.#db.deleteFrom('webhook_deliveries').where('done_at', '<', before).execute();
  }
}
