import { sql, type Kysely } from 'kysely';
import type { Tables } from '../schema.ts';

/**
 * Indexes that came after the first schema. They are no migration: a program from before them runs on with them, so the
 * way back to it stays open.
 */
const indexes = [
  'events_flow ON events (flow_id, raised_at, id)',
  'audit_target ON audit (target, id)',
  'webhook_deliveries_hook ON webhook_deliveries (webhook_id)',
  'drift_resolved ON drift (resolved_at)',
];

/** Instances that start together make them one after the other. */
const makingLock = 4_113_718;

export async function makeLaterIndexes(db: Kysely<Tables>, engine: 'sqlite' | 'postgres'): Promise<void> {
  await db.transaction().execute(async (inside) => {
    if (engine === 'postgres') await sql`select pg_advisory_xact_lock(${sql.lit(makingLock)})`.execute(inside);
    for (const index of indexes) await sql.raw(`CREATE INDEX IF NOT EXISTS ${index}`).execute(inside);
  });
}
