import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LegView } from '../../../src/manager/fleet.ts';
import { engines, openDatabases } from '../../support/manager/databases.ts';
import { admin, ManagerBed } from '../../support/manager/manager-bed.ts';
import { SimNode } from '../../support/manager/sim-node.ts';
import { until } from '../../support/until.ts';

/** The promises that the design wants on both databases; those about crashes are in `test/conformance`. */
describe.each(engines)('on %s', (engine) => {
  const stack = new AsyncDisposableStack();
  let manager: ManagerBed;
  beforeAll(async () => {
    const databases = stack.use(await openDatabases(engine));
    const databaseUrl = await databases.newUrl();
    manager = stack.use(await ManagerBed.start({ databaseUrl, masterKey: 'ab'.repeat(32) }));
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  let names = 0;
  const name = (): string => `node ${++names}`;

  it('MB1 the own events are exact, in order and once', async () => {
    const { id, credentials, node } = await manager.join(name());
    await node[Symbol.asyncDispose]();
    const events = (await manager.eventsOf('connection', id, 4)).map(({ severity, message }) => [severity, message]);
    const [on, off] = [
      ['info', 'Node connected to manager'],
      ['critical', 'Node disconnected from manager'],
    ];
    expect(events).toEqual([on, off, on, off]);
    await using back = await SimNode.connect(manager.url, credentials);
    expect(back.isOpen).toBe(true);
    expect((await manager.eventsOf('connection', id, 5)).at(-1)).toMatchObject({
      message: 'Node connected to manager',
    });
  });

  it('MB1 the own events are not raised for a session that a newer one replaces, and MB2 the newer one stays', async () => {
    const { id, credentials, node } = await manager.join(name());
    const before = (await manager.eventsOf('connection', id, 3)).length;
    await using newer = await SimNode.connect(manager.url, credentials);
    await until(() => node.closed !== null);
    expect(node.closed).toEqual({ code: 4000, reason: 'replaced' });
    await manager.eventsOf('connection', id, before + 1);
    expect(newer.isOpen).toBe(true);
    expect(await manager.fleet.nodes.get(id)).toMatchObject({ state: 'online' });
    const lost = (await manager.events(id)).filter(({ severity }) => severity === 'critical');
    expect(lost).toHaveLength(1);
    await manager.steady(id);
    expect(await manager.fleet.nodes.command(id, { type: 'list_tunnels' }, admin)).toMatchObject({ success: true });
  });

  /** A tunnel whose source answers as the test says; the others take what they get. */
  async function tunnelWith(setup: (node: SimNode) => void) {
    const [relay, studio] = [await manager.join(name(), 'relay'), await manager.join(name())];
    const venue = await manager.join(name(), 'edge', setup);
    for (const { id } of [relay, studio, venue]) await manager.steady(id);
    const { tunnel } = await manager.fleet.tunnels.create(
      {
        ...{ name: name(), protocol: 'udp', source: { node_id: venue.id, listen: '127.0.0.1:5000' } },
        destination: { node_id: studio.id, forward: '127.0.0.1:5001' },
        relays: [{ node_id: relay.id, relay_addr: 'relay.example:4433' }],
      },
      admin,
    );
    const leg = async (): Promise<LegView> => {
      const found = (await manager.fleet.nodes.legs(venue.id)).find(({ tunnel_id: id }) => id === tunnel.id);
      if (found === undefined) throw new Error('the source has no leg');
      return found;
    };
    const status = async (wanted: LegView['push_status']): Promise<LegView> =>
      until(
        async () => {
          const seen = await leg();
          return seen.push_status === wanted ? seen : null;
        },
        { what: `the leg is ${wanted}` },
      );
    const redirect = (listen: string) =>
      manager.fleet.tunnels.patch(tunnel.id, { source: { node_id: venue.id, listen } }, null, admin);
    const dispose = async (): Promise<void> => {
      for (const { node } of [relay, studio, venue]) await node[Symbol.asyncDispose]();
    };
    return { relay, venue, studio, tunnel, status, redirect, [Symbol.asyncDispose]: dispose };
  }

  it('MC1 a leg that its node refuses is failed with the node’s words, and pushed once the node takes it', async () => {
    let refuses = true;
    await using world = await tunnelWith((node) => {
      node.answer = () => (refuses ? { error: 'port in use', error_code: 'port_conflict' } : {});
    });
    expect(await world.status('failed')).toMatchObject({
      ...{ push_error: 'port in use', push_error_code: 'port_conflict', pushed_generation: null },
    });
    refuses = false;
    const pushed = await world.status('pushed');
    expect(pushed).toMatchObject({ push_error: null, push_error_code: null, pushed_generation: pushed.generation });
  });

  it('MF3 texts of a node that no database takes hold up nothing: not its legs, nor events of others', async () => {
    const words = { error: 'nul \0, half \uD83D', error_code: 'c\0de' };
    await using world = await tunnelWith((node) => {
      node.answer = ({ action }) => (action.type === 'create_tunnel' ? words : {});
      node.config = { tunnels: [], flows: [{ id: 'odd', name: 'n\0me' }, { id: 'f\0' }, { id: 'x'.repeat(100_000) }] };
    });
    expect(await world.status('failed')).toMatchObject({ push_error_code: 'c\uFFFDde' });
    const drift = await manager.eventsOf('config_sync.drift_extraneous', world.venue.id);
    expect(drift).toMatchObject([{ flow_id: 'odd' }]);
    await using stranger = await SimNode.dial(manager.url);
    expect(await stranger.authenticate({ node_id: 'a\0b', node_secret: 'x' })).toMatchObject({
      message: 'Node not registered',
    });
    const { id, token } = await manager.add(name());
    await using odd = await SimNode.dial(manager.url);
    const answer = await odd.authenticate({ registration_token: token, software_version: '1\0\uD83D' });
    expect(answer.type).toBe('register_ack');
    odd.event('the last');
    odd.ping('events-1');
    await until(() => odd.pongs.includes('events-1'), { what: 'its event is stored' });
    expect(await manager.fleet.nodes.get(id)).toMatchObject({ software_version: '1\uFFFD\uFFFD' });
  });

  it('MC1 a leg that changes while it is pushed is pushed again: an answer counts for what was sent', async () => {
    await using world = await tunnelWith((node) => {
      node.answer = ({ action }) => (action.type === 'create_tunnel' ? 'silence' : {});
    });
    const first = await world.venue.node.command('create_tunnel');
    const before = await world.status('pushing');
    await world.redirect('127.0.0.1:5002');
    world.venue.node.ack(first);
    const second = await world.venue.node.command('create_tunnel', 2);
    expect(await world.status('pushing')).toMatchObject({ pushed_generation: before.generation });
    world.venue.node.ack(second);
    const pushed = await world.status('pushed');
    expect(pushed.pushed_generation).toBe(pushed.generation);
    expect(pushed.generation).toBeGreaterThan(before.generation);
  });

  it('MC1 a leg whose node leaves while it is pushed is pending, and pushed in the next session', async () => {
    await using world = await tunnelWith((node) => {
      node.answer = ({ action }) => (action.type === 'create_tunnel' ? 'silence' : {});
    });
    await world.venue.node.command('create_tunnel');
    await world.venue.node[Symbol.asyncDispose]();
    expect(await world.status('pending')).toMatchObject({ pushed_generation: null });
    await using again = await SimNode.connect(manager.url, world.venue.credentials);
    await again.command('create_tunnel');
    await world.status('pushed');
  });

  it('MC1 a leg of a relay is pending once the relay leaves, and that of an edge stays pushed', async () => {
    await using world = await tunnelWith(() => undefined);
    const statuses = async () => {
      const { legs } = await manager.fleet.tunnels.get(world.tunnel.id);
      return new Map(legs.map(({ role, push_status }) => [role, push_status]));
    };
    await until(async () => [...(await statuses()).values()].every((status) => status === 'pushed'));
    await world.relay.node[Symbol.asyncDispose]();
    await until(async () => (await statuses()).get('relay') === 'pending', { what: 'the leg of the relay is pending' });
    await world.venue.node[Symbol.asyncDispose]();
    await until(async () => (await manager.fleet.nodes.get(world.venue.id)).state !== 'online');
    expect(await statuses()).toEqual(
      new Map([
        ['ingress', 'pushed'],
        ['egress', 'pushed'],
        ['relay', 'pending'],
      ]),
    );
  });

  it('MC1 a leg that is to go is gone by success, by “not found”, and by a config without it', async () => {
    await using world = await tunnelWith((node) => {
      node.answer = ({ action }) => (action.type === 'delete_tunnel' ? { error: 'no such tunnel' } : {});
    });
    await world.status('pushed');
    world.studio.node.answer = () => ({ error: `Tunnel '${world.tunnel.id}' not found`, error_code: 'not_found' });
    await manager.fleet.tunnels.remove(world.tunnel.id, null, admin);
    await until(async () => (await manager.fleet.tunnels.get(world.tunnel.id)).legs.length === 1, {
      what: 'only the leg of the edge that failed is left',
    });
    expect(await world.status('failed')).toMatchObject({ want: 'absent', push_error: 'no such tunnel' });
    // Its config has no such tunnel, whatever it answers.
    await manager.fleet.nodes.reconcile(world.venue.id, admin);
    await until(async () => (await manager.fleet.tunnels.get(world.tunnel.id)).status === 'removed');
    expect((await manager.fleet.tunnels.get(world.tunnel.id)).legs).toEqual([]);
  });

  it('MC5 a node that is cut off while it is pushed to, settles, is looked at and answers is steady in the end', async () => {
    let cut = 'create_tunnel';
    const cutAt = (node: SimNode): void => {
      node.answer = ({ action }) => {
        if (action.type !== cut) return {};
        node.terminate();
        return 'silence';
      };
    };
    await using world = await tunnelWith(cutAt);
    await until(() => !world.venue.node.isOpen, { what: 'the first session ends' });
    const connect = (setup?: (node: SimNode) => void) => SimNode.connect(manager.url, world.venue.credentials, setup);
    cut = '';
    const pushed = await connect();
    await pushed.command('create_tunnel');
    await world.status('pushed');
    const config = { tunnels: [shownTunnel(pushed)] };
    // While it settles, and with the look at it under way.
    await pushed[Symbol.asyncDispose]();
    const looked = await connect((node) => {
      node.config = null;
    });
    await looked.command('get_config');
    await looked[Symbol.asyncDispose]();
    const answered = await connect((node) => {
      node.config = config;
    });
    await answered.command('get_config');
    await answered[Symbol.asyncDispose]();
    await using last = await connect((node) => {
      node.config = config;
    });
    await manager.steady(world.venue.id);
    expect(last.commands.map(({ action }) => action.type)).toEqual(['get_config']);
    const raised = (await manager.events(world.venue.id)).filter(({ category }) => category.startsWith('config_sync'));
    expect(raised.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Pushed tunnel 'node \d+' [(]ingress[)]$/),
    ]);
  });

  it('MB2 the newer of two sockets keeps its commands when the older one ends late', async () => {
    const { id, credentials, node } = await manager.join(name());
    await manager.steady(id);
    // It reads nothing, so its end comes when its socket is cut, long after it was replaced.
    node.pause();
    await using newer = await SimNode.connect(manager.url, credentials, (sim) => {
      sim.answer = () => 'silence';
    });
    await manager.steady(id);
    const asked = manager.fleet.nodes.command(id, { type: 'list_tunnels' }, admin);
    const command = await newer.command('list_tunnels');
    node.terminate();
    await until(() => node.closed !== null);
    newer.ack(command);
    expect(await asked).toMatchObject({ success: true });
    expect(await manager.fleet.nodes.get(id)).toMatchObject({ state: 'online' });
    expect((await manager.events(id)).filter(({ severity }) => severity === 'critical')).toHaveLength(1);
  });
});

/** What the node's config would show of the tunnel that it was sent: no secrets. */
function shownTunnel(node: SimNode): Record<string, unknown> {
  const sent = node.commands.findLast(({ action }) => action.type === 'create_tunnel')?.action['tunnel'];
  const secrets = new Set(['tunnel_encryption_key', 'tunnel_bind_secret']);
  return Object.fromEntries(Object.entries(sent as Record<string, unknown>).filter(([key]) => !secrets.has(key)));
}
