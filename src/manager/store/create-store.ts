import type { Kysely } from 'kysely';
import { KyselyAudit } from './kysely-audit.ts';
import { KyselyCommands, KyselyWatches } from './kysely-commands.ts';
import { KyselyDrift } from './kysely-drift.ts';
import { KyselyEvents } from './kysely-events.ts';
import { KyselyFlows } from './kysely-flows.ts';
import { KyselyInstances, KyselySessions } from './kysely-sessions.ts';
import { KyselyLegs } from './kysely-legs.ts';
import { KyselyNodes, KyselySecrets } from './kysely-nodes.ts';
import { KyselyTunnels } from './kysely-tunnels.ts';
import type { OpenDatabase } from './open-database.ts';
import type { Tables } from './schema.ts';
import type { Store } from './store.ts';

type Place = Pick<OpenDatabase, 'engine' | 'now'>;

export function createStore(database: OpenDatabase): Store {
  return storeOn(database.db, database);
}

function storeOn(db: Kysely<Tables>, place: Place): Store {
  return {
    nodes: new KyselyNodes(db),
    secrets: new KyselySecrets(db),
    sessions: new KyselySessions(db, place.now),
    instances: new KyselyInstances(db, place.now),
    tunnels: new KyselyTunnels(db),
    flows: new KyselyFlows(db, place.engine),
    legs: new KyselyLegs(db),
    drift: new KyselyDrift(db),
    events: new KyselyEvents(db),
    commands: new KyselyCommands(db, place.now),
    watches: new KyselyWatches(db, place.now),
    audit: new KyselyAudit(db, place.engine),
    transaction: (work) => db.transaction().execute((transaction) => work(storeOn(transaction, place))),
  };
}
