import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { startAuthorizedRelay } from '../../support/programs/authorized-relay.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { knownTunnelId } from '../../support/samples/known-tunnel-id.ts';
import { raisedAtMs, type ManagedNode } from '../../support/peers/managed-node.ts';
import { startManagedEdge } from '../../support/programs/managed-programs.ts';
import { TestManager } from '../../support/peers/test-manager.ts';
import { until } from '../../support/until.ts';
import { bindVector, sealVector, vectorTunnel } from '../../support/samples/vectors.ts';

const id = knownTunnelId(vectorTunnel.id);

function tunnel(relayAddr: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    id,
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

const expected: readonly [severity: string, category: string, message: RegExp][] = [
  ['info', 'manager', /^Connected to manager$/],
  ['info', 'config', /^Configuration updated$/],
  ['info', 'tunnel', /^Tunnel 'camera' started$/],
  ['info', 'tunnel', /^Tunnel 'camera' stopped$/],
  ['info', 'tunnel', /^Tunnel connected to relay$/],
  ['warning', 'tunnel', /^Tunnel peer disconnected: .+$/],
  ['warning', 'tunnel', /^Tunnel disconnected from relay: .+$/],
  ['warning', 'tunnel', /^Tunnel connection to relay failed: .+$/],
  ['critical', 'tunnel', /^Tunnel 'camera' failed: .+$/],
  ['critical', 'tunnel', /^Tunnel bind rejected by relay: bind authentication failed$/],
  ['warning', 'config', /^Failed to persist configuration: .+$/],
  ['warning', 'manager', /^Manager connection lost, reconnecting/],
  ['critical', 'manager', /^Manager authentication failed: Invalid node secret$/],
];

describe.each(await builtEngines())('an edge over %s with a manager', (engineName) => {
  it('T1 sends it each of the 13 events, provoked for real, with its time, words and severity', async () => {
    await using manager = await TestManager.start();
    await using busy = createSocket('udp4').bind(0, '127.0.0.1');
    await once(busy, 'listening');
    const taken = `127.0.0.1:${busy.address().port}`;
    // A tunnel whose address is another program's fails, and is tried again.
    await using edge = await startManagedEdge({
      manager,
      nodeId: 'edge-1',
      config: { quic: { engine: engineName }, tunnels: [tunnel('127.0.0.1:9', { local_addr: taken })] },
    });
    const node = await manager.nodeOnline();
    await manager.event(/^Tunnel 'camera' failed/);
    await provokeTunnelEvents(manager, node, engineName);

    const config = await readFile(edge.configPath, 'utf8');
    await writeFile(edge.configPath, 'garbage');
    const ack = await node.command({ type: 'create_tunnel', tunnel: tunnel('127.0.0.1:9', { name: 'other' }) });
    expect(ack).toMatchObject({ success: false, error_code: 'persistence_failed' });
    expect(ack.error).toMatch(/^Failed to persist configuration: /);
    await writeFile(edge.configPath, config);

    const known = manager.secrets.get('edge-1') ?? new Set();
    manager.secrets.set('edge-1', new Set());
    node.terminate();
    await until(() => manager.auths.length >= 2, { timeoutMs: 20_000 });
    manager.secrets.set('edge-1', known);
    await manager.event(/^Manager authentication failed/, 20_000);

    for (const [severity, category, message] of expected) {
      const event = manager.events.find(({ payload }) => message.test(payload.message));
      expect(event?.payload, String(message)).toMatchObject({ severity, category });
      if (category === 'tunnel') expect(event?.payload.flow_id, String(message)).toBe(id);
    }
    const times = manager.distinctEvents.map(raisedAtMs);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
  });
});

async function provokeTunnelEvents(
  manager: TestManager,
  node: ManagedNode,
  engine: 'quiche' | 'native',
): Promise<void> {
  const create = async (entry: Record<string, unknown>) => {
    expect(await node.command({ type: 'create_tunnel', tunnel: entry })).toMatchObject({ success: true });
  };
  {
    await using relay = await startAuthorizedRelay(engine);
    await create(tunnel(relay.address));
    await manager.event('Tunnel connected to relay');
    const peer = await relay.edge('peer');
    peer.bind({ tunnelId: id, direction: 'ingress', secret: bindVector.secret });
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
