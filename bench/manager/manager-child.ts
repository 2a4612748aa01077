import process from 'node:process';
import { SystemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { SystemRandom } from '../../src/lib/random.ts';
import { parseManagerConfig } from '../../src/manager/config/manager-config.ts';
import { startManagerProgram } from '../../src/manager/manager-program.ts';
import { hashSecret } from '../../src/manager/secrets/node-secret.ts';

/** A manager with as many nodes as its first argument says, in the folder that its second names. */
const [, , count = '0', folder = ''] = process.argv;
const limits = { unauthenticated_sockets: 10_000, unauthenticated_per_address: 10_000 };
const parsed = parseManagerConfig({ listen: ['127.0.0.1:0'], limits, log_level: 'error' }, folder);
if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
const clock = new SystemClock();
const program = await startManagerProgram(
  {
    config: parsed.config,
    forgetSealed: false,
    registerApi: () => Promise.resolve({ upgrades: new Map(), firstAdmin: null, stop: () => Promise.resolve() }),
  },
  { clock, random: new SystemRandom(), logger: createLogger({ level: 'error' }), softwareVersion: 'bench' },
);
const { store } = program.manager.parts;
const at = clock.now();
await store.transaction(async (inside) => {
  for (let index = 0; index < Number(count); index++) {
    const id = `node-${index}`;
    await inside.nodes.insert({ id, name: id, kind: 'edge', description: '', created_at: at, updated_at: at });
    const state = { state: 'in_use', created_at: at, acknowledged_at: null, first_used_at: at } as const;
    await inside.secrets.insert({ id, node_id: id, hash: hashSecret(id), ...state });
  }
});
process.on('message', () => process.send?.({ port: program.addresses[0]?.port, writes: program.writes() }));
process.send?.({ port: program.addresses[0]?.port, writes: program.writes() });
