import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { SystemClock } from '../../src/lib/clock.ts';
import { collectGarbage } from '../../src/lib/collect-garbage.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { SystemRandom } from '../../src/lib/random.ts';
import { hashToken } from '../../src/manager/access/opaque-token.ts';
import { registerApi } from '../../src/manager/api/register-api.ts';
import { parseManagerConfig } from '../../src/manager/config/manager-config.ts';
import { startManagerProgram } from '../../src/manager/manager-program.ts';
import { hashSecret } from '../../src/manager/secrets/node-secret.ts';
import { createAccessStore } from '../../src/manager/store/create-access-store.ts';
import type { OpenDatabase } from '../../src/manager/store/open-database.ts';
import { quantile } from '../statistics.ts';
import { LoopLag } from './loop-lag.ts';
import type { ServerReport } from './messages.ts';

/** The whole manager: folder, database URL, port (0: any), how many nodes to add, and a viewer's token to add. */
const [, , folder = '', url = '', port = '0', count = '0', token = ''] = process.argv;
// All nodes dial from one address.
const limits = { unauthenticated_sockets: 10_000, unauthenticated_per_address: 10_000 };
const parsed = parseManagerConfig(
  { listen: [`127.0.0.1:${port}`], database: { url }, limits, log_level: 'error' },
  folder,
);
if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
const clock = new SystemClock();
let database: OpenDatabase | null = null;
const program = await startManagerProgram(
  {
    config: parsed.config,
    forgetSealed: false,
    registerApi(app, context) {
      database = context.database;
      return registerApi(app, context);
    },
  },
  { clock, random: new SystemRandom(), logger: createLogger({ level: 'error' }), softwareVersion: 'bench' },
);
const { store, inbox } = program.manager.parts;
// It is ended with -9.
flushCompileCache();
if (Number(count) > 0) await addRows();
// As the service does once it has started.
await collectGarbage();
const lag = new LoopLag();
process.on('message', report);
// The benchmark is gone.
process.on('disconnect', () => process.exit());
report();

function report(): void {
  const commits = Float64Array.from(inbox.takeCommitTimes()).sort();
  process.send?.({
    port: program.addresses[0]?.port ?? 0,
    writes: program.writes(),
    lagMs: lag.take(),
    commitMs: commits.length === 0 ? null : quantile(commits, 0.99),
  } satisfies ServerReport);
}

async function addRows(): Promise<void> {
  const at = clock.now();
  await store.transaction(async (inside) => {
    for (let index = 0; index < Number(count); index++) {
      const id = `node-${index}`;
      await inside.nodes.insert({ id, name: id, kind: 'edge', description: '', created_at: at, updated_at: at });
      const state = { state: 'in_use', created_at: at, acknowledged_at: null, first_used_at: at } as const;
      await inside.secrets.insert({ id, node_id: id, hash: hashSecret(id), ...state });
    }
  });
  if (database === null) return;
  await createAccessStore(database).tokens.insert({
    ...{ id: 'bench', hash: hashToken(token), name: 'bench', role: 'viewer', created_by: null },
    ...{ created_at: at, expires_at: null, last_used_at: null },
  });
}
