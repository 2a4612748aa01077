import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import type { ManagedNode } from '../peers/managed-node.ts';
import type { TestManager } from '../peers/test-manager.ts';
import { knownTunnelId } from '../samples/known-tunnel-id.ts';
import { bindVector, sealVector, vectorTunnel } from '../samples/vectors.ts';
import { until } from '../until.ts';
import { startAuthorizedRelay } from './authorized-relay.ts';
import { startManagedEdge } from './managed-programs.ts';

/** The tunnel of the events. */
export const provokedTunnel = knownTunnelId(vectorTunnel.id);

function tunnel(relayAddr: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    id: provokedTunnel,
    name: 'camera',
    protocol: 'udp',
    direction: 'egress',
    local_addr: '127.0.0.1:0',
    relay_addr: relayAddr,
    tunnel_encryption_key: sealVector.keyHex,
    tunnel_bind_secret: bindVector.secret,
    ...changes,
  };
}

/** Makes a whole edge raise its 13 events of tunnels, manager and config, for real. Its manager has them when it resolves. */
export async function provokeEdgeEvents(manager: TestManager, engine: EngineName): Promise<void> {
  await using busy = createSocket('udp4').bind(0, '127.0.0.1');
  await once(busy, 'listening');
  const taken = `127.0.0.1:${busy.address().port}`;
  // A tunnel whose address is another program's fails, and is tried again.
  const tunnels = [tunnel('127.0.0.1:9', { local_addr: taken })];
  await using edge = await startManagedEdge({ manager, nodeId: 'edge-1', config: { quic: { engine }, tunnels } });
  const node = await manager.nodeOnline();
  await manager.event(/^Tunnel 'camera' failed/);
  await provokeTunnelEvents(manager, node, engine);

  const config = await readFile(edge.configPath, 'utf8');
  await writeFile(edge.configPath, 'garbage');
  const ack = await node.command({ type: 'create_tunnel', tunnel: tunnel('127.0.0.1:9', { name: 'other' }) });
  if (ack.success || ack.error_code !== 'persistence_failed') throw new Error(`it was stored: ${JSON.stringify(ack)}`);
  await writeFile(edge.configPath, config);

  const known = manager.secrets.get('edge-1') ?? new Set();
  manager.secrets.set('edge-1', new Set());
  node.terminate();
  await until(() => manager.auths.length >= 2);
  manager.secrets.set('edge-1', known);
  await manager.event(/^Manager authentication failed/, 20_000);
}

async function provokeTunnelEvents(manager: TestManager, node: ManagedNode, engine: EngineName): Promise<void> {
  const create = async (entry: Record<string, unknown>): Promise<void> => {
    const ack = await node.command({ type: 'create_tunnel', tunnel: entry });
    if (!ack.success) throw new Error(ack.error);
  };
  {
    await using relay = await startAuthorizedRelay(engine);
    await create(tunnel(relay.address));
    await manager.event('Tunnel connected to relay');
    const peer = await relay.edge('peer');
    peer.bind({ tunnelId: provokedTunnel, direction: 'ingress', secret: bindVector.secret });
    await until(() => relay.relay.health().active_tunnels === 1);
    peer.close();
    await manager.event(/^Tunnel peer disconnected/);
    // An edge tells that its peer has gone only after it has told that it is there.
    await relay.relay.stop(0);
    await manager.event(/^Tunnel disconnected from relay/);
    await manager.event(/^Tunnel connection to relay failed/, 30_000);
  }
  await using relay = await startAuthorizedRelay(engine);
  await create(tunnel(relay.address, { tunnel_bind_secret: 'ab'.repeat(32) }));
  await manager.event(/^Tunnel bind rejected by relay/);
}
