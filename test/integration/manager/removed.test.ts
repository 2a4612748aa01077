import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewTunnelInput } from '../../../src/manager/fleet.ts';
import { engines, openDatabases } from '../../support/manager/databases.ts';
import { admin, ManagerBed } from '../../support/manager/manager-bed.ts';
import { SimNode } from '../../support/manager/sim-node.ts';
import { until } from '../../support/until.ts';

/** What was removed, and what refers to it. */
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
  const srt = (id: string) => ({
    id,
    input: { type: 'srt', mode: 'listener', local_addr: '127.0.0.1:9000' },
    outputs: [],
  });

  async function tunnelInput() {
    const [relay, source, destination] = [
      await manager.add(name(), 'relay'),
      await manager.add(name()),
      await manager.add(name()),
    ];
    const input: NewTunnelInput = {
      ...{ name: name(), protocol: 'udp', source: { node_id: source.id, listen: '127.0.0.1:5000' } },
      destination: { node_id: destination.id, forward: '127.0.0.1:5001' },
      relays: [{ node_id: relay.id, relay_addr: 'relay.example:4433' }],
    };
    return { input, relay, source, destination };
  }

  it('a removed tunnel gets no new keys: nothing of it is pushed again', async () => {
    const { fleet } = manager;
    const { tunnel } = await fleet.tunnels.create((await tunnelInput()).input, admin);
    await fleet.tunnels.remove(tunnel.id, null, admin);
    await expect(fleet.tunnels.rotateKeys(tunnel.id, admin)).rejects.toMatchObject({ status: 409 });
    const { legs } = await fleet.tunnels.get(tunnel.id);
    expect(legs.map(({ want }) => want)).toEqual(['absent', 'absent', 'absent']);
  });

  it.each(['source', 'destination', 'relay'] as const)('a tunnel does not come back without its %s', async (end) => {
    const { fleet } = manager;
    const { input, ...nodes } = await tunnelInput();
    const { tunnel } = await fleet.tunnels.create(input, admin);
    await fleet.nodes.remove(nodes[end].id, true, admin);
    expect(await fleet.tunnels.get(tunnel.id)).toMatchObject({ removed_by: 'operator' });
    const refused = {
      status: 409,
      message: expect.stringMatching(new RegExp(`${end}.* was deleted; make the tunnel anew`)) as string,
    };
    await expect(fleet.tunnels.restore(tunnel.id, admin)).rejects.toMatchObject(refused);
  });

  it('a node is not deleted while it has flows, and they go with it where that is wanted', async () => {
    const { fleet } = manager;
    const { id } = await manager.add(name());
    const flow = await fleet.flows.create({ node_id: id, config: srt('camera') }, admin);
    await expect(fleet.nodes.remove(id, false, admin)).rejects.toMatchObject({ code: 'in_use' });
    await fleet.nodes.remove(id, true, admin);
    expect(await fleet.flows.get(flow.id)).toMatchObject({ removed_by: 'operator', status: 'removed' });
    const refused = { status: 409, message: 'its node was deleted; make the flow anew' };
    await expect(fleet.flows.restore(flow.id, admin)).rejects.toMatchObject(refused);
  });

  it('a node has a flow of one id once, however it comes there', async () => {
    const { fleet } = manager;
    const [here, there] = [await manager.add(name()), await manager.add(name())];
    const conflict = { status: 409, message: 'this node has a flow main already' };
    const make = (node_id: string) => fleet.flows.create({ node_id, config: srt('main') }, admin);
    const made = await Promise.allSettled(Array.from({ length: 5 }, () => make(here.id)));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(made.filter(({ status }) => status === 'rejected')).toMatchObject(Array(4).fill({ reason: conflict }));
    const moved = await make(there.id);
    await expect(fleet.flows.patch(moved.id, { node_id: here.id }, null, admin)).rejects.toMatchObject(conflict);
    await fleet.flows.remove(moved.id, null, admin);
    const newer = await make(there.id);
    await expect(fleet.flows.restore(moved.id, admin)).rejects.toMatchObject(conflict);
    await fleet.flows.remove(newer.id, null, admin);
    expect(await fleet.flows.restore(moved.id, admin)).toMatchObject({ removed_at: null });
  });

  it('a flow that takes the place of a removed one is not deleted by the command for that one', async () => {
    const { fleet } = manager;
    const { id, credentials, node } = await manager.join(name());
    await manager.steady(id);
    const old = await fleet.flows.create({ node_id: id, config: srt('main') }, admin);
    await node.command('update_flow');
    await until(async () => (await fleet.flows.get(old.id)).status === 'active', { what: 'the first flow is there' });
    await node[Symbol.asyncDispose]();
    await until(async () => (await fleet.nodes.get(id)).state !== 'online', { what: 'the node is away' });
    await fleet.flows.remove(old.id, null, admin);
    const next = await fleet.flows.create({ node_id: id, config: srt('main') }, admin);
    await using back = await SimNode.connect(manager.url, credentials, (again) => {
      again.config = { tunnels: [], flows: [srt('main')] };
    });
    await manager.steady(id);
    expect(await fleet.flows.get(next.id)).toMatchObject({ status: 'active' });
    const flowCommands = back.commands.filter(({ action }) => action.type.endsWith('_flow'));
    expect(flowCommands.map(({ action }) => action.type)).toEqual(['update_flow']);
    expect(await fleet.flows.get(old.id)).toMatchObject({ status: 'removed' });
  });
});
