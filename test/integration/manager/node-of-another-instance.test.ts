import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DriftView } from '../../../src/manager/fleet.ts';
import { openDatabases } from '../../support/manager/databases.ts';
import { admin, ManagerBed } from '../../support/manager/manager-bed.ts';
import { until } from '../../support/until.ts';

const stray = { id: '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f', name: 'stray', protocol: 'tcp', direction: 'egress' };

describe('a node that is connected to another instance', () => {
  const stack = new AsyncDisposableStack();
  let here: ManagerBed;
  let there: ManagerBed;
  beforeAll(async () => {
    const databases = stack.use(await openDatabases('postgres'));
    const config = { ghost_after_secs: 2 };
    const options = { databaseUrl: await databases.newUrl(), masterKey: 'ab'.repeat(32), config };
    here = stack.use(await ManagerBed.start(options));
    there = stack.use(await ManagerBed.start(options));
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  async function openDrift(nodeId: string): Promise<DriftView> {
    const found = async (): Promise<DriftView | undefined> =>
      (await here.fleet.drift.page({ limit: 50, nodeId })).items.find(({ resolved_at }) => resolved_at === null);
    return until(found, { what: 'an open difference' });
  }

  it('MD1 is compared there when this instance is asked to, and what differs is found', async () => {
    const { id, node } = await there.join('venue');
    await there.steady(id);
    node.config = { tunnels: [stray] };
    await here.fleet.nodes.reconcile(id, admin);
    expect(await openDrift(id)).toMatchObject({ kind: 'extraneous', resource_id: stray.id });
    await node[Symbol.asyncDispose]();
  });

  it('is looked at again there when a difference is resolved here: one that is still there is open again', async () => {
    const { id, node } = await there.join('studio', 'edge', (edge) => {
      edge.config = { tunnels: [stray] };
    });
    const drift = await openDrift(id);
    // It says that it has deleted the tunnel, and keeps it.
    const resolved = await here.fleet.drift.remove(drift.id, 'node', admin);
    expect(resolved).toMatchObject({ resolution: 'deleted from node' });
    expect((await node.command('delete_tunnel')).action).toMatchObject({ tunnel_id: stray.id });
    await openDrift(id);
    await node[Symbol.asyncDispose]();
  });

  it('ME1 spares a tunnel of a ghost here while it reports traffic there', async () => {
    const relay = await here.join('relay', 'relay');
    const venue = await here.join('camera', 'edge', (edge) => {
      edge.answer = () => ({ error: 'port in use' });
    });
    const player = await there.join('player');
    const { tunnel } = await here.fleet.tunnels.create(
      {
        ...{ name: 'camera', protocol: 'udp', source: { node_id: venue.id, listen: '127.0.0.1:5000' } },
        destination: { node_id: player.id, forward: '127.0.0.1:5001' },
        relays: [{ node_id: relay.id, relay_addr: 'relay.example:4433' }],
      },
      admin,
    );
    const report = () => player.node.say('stats', { tunnels: [{ id: tunnel.id, state: 'ready' }] });
    // One try a second: many more than until it counts as a ghost.
    const tries = () => venue.node.commands.filter(({ action }) => action.type === 'create_tunnel').length;
    await until(
      () => {
        report();
        return tries() >= 8;
      },
      { what: 'eight tries', pollMs: 500 },
    );
    expect(await here.fleet.tunnels.get(tunnel.id)).toMatchObject({ status: 'failed', removed_at: null });
    for (const { node } of [relay, venue, player]) await node[Symbol.asyncDispose]();
  });

  it('that leaves is refused as one that is not connected', async () => {
    const { id, node } = await there.join('truck');
    await node[Symbol.asyncDispose]();
    await until(async () => (await here.fleet.nodes.get(id)).state !== 'online');
    const refused = { status: 409, message: 'Node truck is not connected' };
    await expect(here.fleet.nodes.reconcile(id, admin)).rejects.toMatchObject(refused);
  });
});
