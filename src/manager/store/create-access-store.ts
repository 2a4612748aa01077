import type { Kysely } from 'kysely';
import type { AccessStore } from './access-store.ts';
import { KyselyAudit } from './kysely-audit.ts';
import { KyselyTrail } from './kysely-trail.ts';
import { KyselyApiTokens, KyselyUsers, KyselyUserSessions } from './kysely-users.ts';
import { KyselyDeliveries, KyselyWebhooks } from './kysely-webhooks.ts';
import type { OpenDatabase } from './open-database.ts';
import type { Tables } from './schema.ts';

export function createAccessStore(database: OpenDatabase): AccessStore {
  return storeOn(database.db, database.engine);
}

function storeOn(db: Kysely<Tables>, engine: OpenDatabase['engine']): AccessStore {
  return {
    users: new KyselyUsers(db, engine),
    sessions: new KyselyUserSessions(db),
    tokens: new KyselyApiTokens(db),
    webhooks: new KyselyWebhooks(db),
    deliveries: new KyselyDeliveries(db),
    audit: new KyselyAudit(db, engine),
    trail: new KyselyTrail(db),
    transaction: (work) => db.transaction().execute((transaction) => work(storeOn(transaction, engine))),
  };
}
