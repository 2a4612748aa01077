import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import type { NewTunnelInput } from '../../../src/manager/fleet.ts';
import { admin, ManagerBed, type JoinedNode } from '../../support/manager/manager-bed.ts';
import { SimNode } from '../../support/manager/sim-node.ts';
import { pause } from '../../support/pause.ts';
import { until } from '../../support/until.ts';

interface World extends AsyncDisposable {
  readonly manager: ManagerBed;
  readonly relay: JoinedNode;
  readonly venue: JoinedNode;
  readonly studio: JoinedNode;
  readonly input: NewTunnelInput;
}

/** A field relay, which knows no `list_authorized`. */
const fieldRelay = (node: SimNode): void => {
  node.answer = ({ action }) =>
    action.type === 'list_authorized' ? { error: `Unknown relay command: ${action.type}` } : {};
};

async function world(config: Readonly<Record<string, unknown>> = {}): Promise<World> {
  const manager = await ManagerBed.start({ config });
  const relay = await manager.join('relay', 'relay', fieldRelay);
  const [venue, studio] = [await manager.join('venue'), await manager.join('studio')];
  for (const { id } of [relay, venue, studio]) await manager.steady(id);
  const input: NewTunnelInput = {
    name: 'camera',
    protocol: 'udp',
    source: { node_id: venue.id, listen: '127.0.0.1:5000' },
    destination: { node_id: studio.id, forward: '127.0.0.1:5001' },
    relays: [{ node_id: relay.id, relay_addr: 'relay.example:4433' }],
  };
  return {
    ...{ manager, relay, venue, studio, input },
    async [Symbol.asyncDispose]() {
      for (const { node } of [relay, venue, studio]) await node[Symbol.asyncDispose]();
      await manager[Symbol.asyncDispose]();
    },
  };
}

async function make({ manager, input }: World): Promise<string> {
  const { tunnel } = await manager.fleet.tunnels.create(input, admin);
  await active(manager, tunnel.id);
  return tunnel.id;
}

async function active(manager: ManagerBed, id: string): Promise<void> {
  await until(async () => (await manager.fleet.tunnels.get(id)).status === 'active');
}

const openDrift = (manager: ManagerBed, count = 1) =>
  until(
    async () => {
      const { items } = await manager.fleet.drift.page({ limit: 50, muted: false });
      return items.length === count ? { items } : null;
    },
    { what: `${count} differences` },
  );

/** What the edge's config would say: what it was sent, without secrets. */
function configOf(node: SimNode): { tunnels: Record<string, unknown>[] } {
  const entry = node.commands.filter(({ action }) => action.type === 'create_tunnel').at(-1)?.action['tunnel'];
  const secrets = new Set(['tunnel_encryption_key', 'tunnel_bind_secret']);
  const shown = Object.entries(entry as Record<string, unknown>).filter(([key]) => !secrets.has(key));
  return { tunnels: [Object.fromEntries(shown)] };
}

describe('a tunnel', () => {
  it('MC9 is authorised at its relay before its edges get it, with the same keys at both', async () => {
    await using all = await world();
    const order: string[] = [];
    all.relay.node.answer = ({ action }) => {
      order.push(action.type);
      return {};
    };
    all.venue.node.answer = ({ action }) => {
      order.push(action.type);
      return {};
    };
    await make(all);
    expect(order).toEqual(['authorize_tunnel', 'create_tunnel']);
    const [authorize] = all.relay.node.commands.filter(({ action }) => action.type === 'authorize_tunnel');
    const [named] = configOf(all.venue.node).tunnels;
    expect(authorize?.action['tunnel_name']).toBe(named?.['name']);
    const [source] = configOf(all.venue.node).tunnels;
    const [destination] = configOf(all.studio.node).tunnels;
    expect(source).toMatchObject({ direction: 'egress', local_addr: '127.0.0.1:5000', protocol: 'udp' });
    expect(destination).toMatchObject({ direction: 'ingress', local_addr: '127.0.0.1:5001' });
    const keyOf = (node: SimNode) =>
      (node.commands.at(-1)?.action['tunnel'] as Record<string, unknown>)['tunnel_encryption_key'];
    expect(keyOf(all.venue.node)).toBe(keyOf(all.studio.node));
  });

  it('MC8 that is removed while all its nodes are away is gone everywhere once they are back', async () => {
    await using all = await world();
    const id = await make(all);
    for (const { node } of [all.relay, all.venue, all.studio]) await node[Symbol.asyncDispose]();
    for (const { id: nodeId } of [all.relay, all.venue, all.studio]) {
      await until(async () => (await all.manager.fleet.nodes.get(nodeId)).state !== 'online');
    }
    await all.manager.fleet.tunnels.remove(id, null, admin);
    const back = async ({ credentials }: JoinedNode, setup?: (node: SimNode) => void): Promise<SimNode> =>
      SimNode.connect(all.manager.url, credentials, setup);
    await using relay = await back(all.relay, fieldRelay);
    await using venue = await back(all.venue);
    await using studio = await back(all.studio);
    await relay.command('revoke_tunnel');
    await venue.command('delete_tunnel');
    await studio.command('delete_tunnel');
    await until(async () => (await all.manager.fleet.tunnels.get(id)).status === 'removed');
  });

  it('MC7 is authorised again at a relay that comes back; its edges are left alone', async () => {
    await using all = await world();
    const id = await make(all);
    await all.venue.node[Symbol.asyncDispose]();
    await all.relay.node[Symbol.asyncDispose]();
    await using relay = await SimNode.connect(all.manager.url, all.relay.credentials, fieldRelay);
    const config = configOf(all.venue.node);
    await using venue = await SimNode.connect(all.manager.url, all.venue.credentials, (node) => {
      node.config = config;
    });
    await relay.command('authorize_tunnel');
    await active(all.manager, id);
    await all.manager.steady(all.venue.id);
    expect(venue.commands.map(({ action }) => action.type)).toEqual(['get_config']);
  });

  it('MC2 whose push was not answered fails, and is pushed again', async () => {
    await using all = await world();
    let asked = 0;
    all.venue.node.answer = ({ action }) => (action.type === 'create_tunnel' && ++asked === 1 ? 'silence' : {});
    const { tunnel } = await all.manager.fleet.tunnels.create(all.input, admin);
    const [failed] = await all.manager.eventsOf('config_sync.push_failed', all.venue.id);
    expect(failed).toMatchObject({
      severity: 'warning',
      message: "Push of tunnel 'camera' (ingress) failed: Command timed out waiting for node response (10s)",
      tunnel_id: tunnel.id,
      flow_id: tunnel.id,
    });
    await active(all.manager, tunnel.id);
    const [succeeded] = await all.manager.eventsOf('config_sync.push_succeeded', all.venue.id);
    expect(succeeded).toMatchObject({ severity: 'info', message: "Pushed tunnel 'camera' (ingress)" });
  });
});

describe('drift', () => {
  it('MD1 is found within the settle time of a reconnect and shown by field; MD3 no frame corrects it', async () => {
    await using all = await world();
    const id = await make(all);
    const config = configOf(all.venue.node);
    const edited = { tunnels: [{ ...config.tunnels[0], local_addr: '0.0.0.0:9000' }] };
    await all.venue.node[Symbol.asyncDispose]();
    await using venue = await SimNode.connect(all.manager.url, all.venue.credentials, (node) => {
      node.config = edited;
    });
    const { items } = await openDrift(all.manager);
    expect(items[0]).toMatchObject({
      kind: 'mismatched',
      resource_id: id,
      fields: [{ path: 'local_addr', desired: '127.0.0.1:5000', actual: '0.0.0.0:9000' }],
      actions: { repush: 'Replaces the node’s value: local_addr 0.0.0.0:9000 → 127.0.0.1:5000.' },
    });
    expect(venue.commands.map(({ action }) => action.type)).toEqual(['get_config']);
    expect((await all.manager.eventsOf('config_sync.drift_mismatched'))[0]).toMatchObject({
      message: "tunnel 'camera' differs on the node: local_addr",
      tunnel_id: id,
    });

    await all.manager.fleet.drift.repush(items[0]?.id ?? '', admin);
    const push = await venue.command('create_tunnel');
    expect(push.action['tunnel']).toMatchObject({ local_addr: '127.0.0.1:5000' });
    venue.config = config;
    await openDrift(all.manager, 0);
  });

  it('MD4 that is taken over changes the manager, and reaches the other nodes', async () => {
    await using all = await world();
    const id = await make(all);
    const config = configOf(all.studio.node);
    all.studio.node.config = { tunnels: [{ ...config.tunnels[0], local_addr: '127.0.0.1:7777' }] };
    await all.manager.fleet.nodes.reconcile(all.studio.id, admin);
    const { items } = await openDrift(all.manager);
    await all.manager.fleet.drift.ingest(items[0]?.id ?? '', admin);
    await active(all.manager, id);
    expect((await all.manager.fleet.tunnels.get(id)).destination_forward).toBe('127.0.0.1:7777');
    await openDrift(all.manager, 0);
  });

  it('MD4 that is muted stays silent, that is deleted on the node is deleted there', async () => {
    await using all = await world();
    const stray = { id: '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f', name: 'stray', protocol: 'tcp', direction: 'egress' };
    all.venue.node.config = { tunnels: [stray] };
    await all.manager.fleet.nodes.reconcile(all.venue.id, admin);
    const { items } = await openDrift(all.manager);
    const drift = items[0]?.id ?? '';
    await all.manager.fleet.drift.mute(drift, admin);
    await openDrift(all.manager, 0);
    await all.manager.fleet.drift.remove(drift, 'node', admin);
    expect((await all.venue.node.command('delete_tunnel')).action).toMatchObject({ tunnel_id: stray.id });
  });

  it('MD1 that another instance took for resolved is found again while it is still there', async () => {
    await using all = await world();
    const stray = { id: '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f', name: 'stray', protocol: 'tcp', direction: 'egress' };
    all.venue.node.config = { tunnels: [stray] };
    await all.manager.fleet.nodes.reconcile(all.venue.id, admin);
    const { items } = await openDrift(all.manager);
    const { store } = all.manager.program.manager.parts;
    await store.drift.change(items[0]?.id ?? '', {
      resolved_at: new SystemClock().now(),
      resolution: 'deleted from node',
    });
    await openDrift(all.manager, 0);
    await all.manager.fleet.nodes.reconcile(all.venue.id, admin);
    await openDrift(all.manager);
  });

  it('MD4 a tunnel that both edges have and the manager does not is taken over without its keys', async () => {
    await using all = await world();
    const id = '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f';
    const common = { id, name: 'old', protocol: 'udp', relay_addrs: ['relay.example:4433'] };
    all.venue.node.config = { tunnels: [{ ...common, direction: 'egress', local_addr: '127.0.0.1:1' }] };
    await all.manager.fleet.nodes.reconcile(all.venue.id, admin);
    const { items } = await openDrift(all.manager);
    await expect(all.manager.fleet.drift.ingest(items[0]?.id ?? '', admin)).rejects.toMatchObject({ status: 409 });
    all.studio.node.config = { tunnels: [{ ...common, direction: 'ingress', local_addr: '127.0.0.1:2' }] };
    await all.manager.fleet.nodes.reconcile(all.studio.id, admin);
    await openDrift(all.manager, 2);
    await all.manager.fleet.drift.ingest(items[0]?.id ?? '', admin);
    const tunnel = await all.manager.fleet.tunnels.get(id);
    expect(tunnel).toMatchObject({ source_listen: '127.0.0.1:1', destination_forward: '127.0.0.1:2' });
    expect(tunnel.keys_unknown_at).not.toBeNull();
    await openDrift(all.manager, 0);
    await expect(all.manager.fleet.tunnels.keys(id, admin)).rejects.toMatchObject({ code: 'keys_unknown' });
  });
});

describe('a tunnel between media flows', () => {
  it('has flow in place of an address, and needs datagrams', async () => {
    await using all = await world();
    const ends = {
      source: { node_id: all.venue.id, listen: 'flow' },
      destination: { node_id: all.studio.id, forward: 'flow' },
    };
    const overTcp = all.manager.fleet.tunnels.create({ ...all.input, ...ends, protocol: 'tcp' }, admin);
    await expect(overTcp).rejects.toMatchObject({ code: 'invalid', field: 'protocol' });
    const { tunnel } = await all.manager.fleet.tunnels.create({ ...all.input, ...ends }, admin);
    await active(all.manager, tunnel.id);
    const pushed = all.venue.node.commands.find(({ action }) => action.type === 'create_tunnel');
    expect(pushed?.action).toMatchObject({ tunnel: { local_addr: 'flow' } });
    const toTcp = all.manager.fleet.tunnels.patch(tunnel.id, { protocol: 'tcp' }, null, admin);
    await expect(toTcp).rejects.toMatchObject({ code: 'invalid', field: 'protocol' });
  });

  it('is refused at the field where the address is neither', async () => {
    await using all = await world();
    const source = { node_id: all.venue.id, listen: 'camera.local:5000' };
    const refused = all.manager.fleet.tunnels.create({ ...all.input, source }, admin);
    await expect(refused).rejects.toMatchObject({ code: 'invalid', field: 'source.listen' });
  });
});

describe('a ghost', () => {
  it('ME1 is removed with its event, can be restored, and spared while its edges say ready', async () => {
    await using all = await world({ ghost_after_secs: 2 });
    all.venue.node.answer = () => ({ error: 'port in use' });
    const { tunnel } = await all.manager.fleet.tunnels.create(all.input, admin);
    const stats = { tunnels: [{ id: tunnel.id, state: 'ready' }] };
    all.studio.node.say('stats', stats);
    await all.manager.eventsOf('config_sync.push_failed', all.venue.id);
    // Longer than it takes to become a ghost; a wait for nothing to happen.
    await pause(3_500);
    expect(await all.manager.fleet.tunnels.get(tunnel.id)).toMatchObject({ status: 'failed', removed_at: null });
    all.studio.node.say('stats', { tunnels: [{ id: tunnel.id, state: 'down' }] });
    const [event] = await all.manager.eventsOf('config_sync.ghost_cleanup', all.venue.id);
    expect(JSON.parse(event?.details ?? '{}')).toMatchObject({ resource: 'tunnel', name: 'camera', role: 'ingress' });
    expect(await all.manager.fleet.tunnels.get(tunnel.id)).toMatchObject({ removed_by: 'ghost' });
    all.venue.node.answer = () => ({});
    await all.manager.fleet.tunnels.restore(tunnel.id, admin);
    await active(all.manager, tunnel.id);
  });
});
