import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Schemathesis } from '../test/support/manager/schemathesis.ts';
import { SimNode } from '../test/support/manager/sim-node.ts';
import { ManagerProcess } from '../test/support/programs/manager-process.ts';
import { startRestWorld } from '../test/support/programs/rest-world.ts';
import { readCounts } from './counts.ts';

/**
 * `npm run long:api`: schemathesis calls every operation of the REST API of a manager with each role, and of a relay
 * and an edge with and without a token. As many examples for each operation as the first argument says; the second is
 * the seed.
 */
const [maxExamples, seed] = readCounts('long:api -- [examples for each operation] [seed]', [50, 1]);
const roles = ['viewer', 'operator', 'admin'] as const;
const apiTokens = ['ab'.repeat(16), null] as const;

const folder = mkdtempSync(join(tmpdir(), 'adit-api-'));
try {
  const schemathesis = Schemathesis.install(folder);
  for (const role of roles) await tryManager(schemathesis, role);
  for (const token of apiTokens) await tryPrograms(schemathesis, token);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function tryManager(schemathesis: Schemathesis, role: string): Promise<void> {
  await using manager = await ManagerProcess.start();
  await using fleet = await addFleet(manager);
  const { out } = await manager.command('token', `trial-${role}`, '--role', role);
  process.stdout.write(`\n${role}, with ${fleet.nodes} nodes\n`);
  const documentUrl = `https://127.0.0.1:${manager.port}/api/v1/openapi.json`;
  if (!(await schemathesis.run({ documentUrl, token: out.trim(), maxExamples, seed }))) process.exitCode = 1;
}

/** A relay and an edge with tunnels in several states; what they log as errors is a finding, too. */
async function tryPrograms(schemathesis: Schemathesis, token: string | null): Promise<void> {
  await using world = await startRestWorld(token);
  for (const [program, address] of Object.entries(world.addresses)) {
    process.stdout.write(`\n${program}, ${token === null ? 'without a token' : 'with its token'}\n`);
    const documentUrl = `http://${address}/api/v1/openapi.json`;
    if (!(await schemathesis.run({ documentUrl, token, maxExamples, seed }))) process.exitCode = 1;
  }
  const errors = world.errors();
  if (errors.length > 0) process.exitCode = 1;
  for (const error of errors) process.stdout.write(`error: ${error}\n`);
}

/** A relay and two edges that answer, a tunnel between them, a flow and an event: each kind of row is there. */
async function addFleet(manager: ManagerProcess): Promise<AsyncDisposable & { readonly nodes: number }> {
  const stack = new AsyncDisposableStack();
  const ids: string[] = [];
  for (const [name, kind] of [
    ['relay', 'relay'],
    ['venue', 'edge'],
    ['studio', 'edge'],
  ] as const) {
    const { id, token } = await manager.add(name, kind);
    const node = stack.use(await SimNode.connect(manager.url, { registration_token: token }));
    node.say('health', { status: 'ok', version: '1.0.0', uptime_secs: 1, capabilities: ['tunnels'] });
    node.say('stats', { tunnels: [], uptime_secs: 1 });
    node.event('Edge connected from 192.0.2.1:1', `first-${name}`);
    ids.push(id);
  }
  const [relay, venue, studio] = ids;
  await manager.done('POST', 'tunnels', {
    name: 'camera',
    protocol: 'udp',
    source: { node_id: venue, listen: '127.0.0.1:5000' },
    destination: { node_id: studio, forward: '127.0.0.1:5001' },
    relays: [{ node_id: relay, relay_addr: 'relay.example:4433' }],
  });
  return { nodes: ids.length, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
