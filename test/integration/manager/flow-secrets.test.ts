import { describe, expect, it } from 'vitest';
import { admin, type ManagerBed } from '../../support/manager/manager-bed.ts';
import { startVenueBed } from '../../support/manager/venue-bed.ts';
import { until } from '../../support/until.ts';

const openDrift = (manager: ManagerBed, count = 1) =>
  until(
    async () => {
      const { items } = await manager.fleet.drift.page({ limit: 50, muted: false });
      return items.length === count ? { items } : null;
    },
    { what: `${count} differences` },
  );

describe('the secrets of a flow', () => {
  const passphrase = 'canary-passphrase';
  const config = {
    ...{ id: 'main', name: 'Main', input: { type: 'srt', passphrase } },
    outputs: [{ id: 'out', type: 'srt', passphrase: `${passphrase}-out` }],
  };

  it('reach the node, and are masked for whoever reads; a mask that is written back keeps them', async () => {
    await using all = await startVenueBed();
    const { fleet } = all.manager;
    const { id } = await fleet.flows.create({ node_id: all.venue.id, config }, admin);
    expect((await all.venue.node.command('update_flow')).action).toMatchObject({ flow: config });
    const read = await fleet.flows.get(id);
    expect(JSON.stringify(read)).not.toContain(passphrase);
    const edited = { ...read.config, name: 'Other' };
    expect(JSON.stringify(await fleet.flows.patch(id, { config: edited }, null, admin))).not.toContain(passphrase);
    expect((await all.venue.node.command('update_flow', 2)).action).toMatchObject({
      flow: { ...config, name: 'Other' },
    });
    expect(JSON.stringify(await all.manager.events())).not.toContain(passphrase);
    expect(JSON.stringify(await all.manager.auditTrail())).not.toContain(passphrase);
  });

  it('stay at the node and here when what differs is taken over, although the node does not show them', async () => {
    await using all = await startVenueBed();
    const { manager, venue } = all;
    const { id } = await manager.fleet.flows.create({ node_id: venue.id, config }, admin);
    await until(async () => (await manager.fleet.flows.get(id)).status === 'active', { what: 'the flow is there' });
    const shown = { ...config, name: 'By hand', input: { type: 'srt' }, outputs: [{ id: 'out', type: 'srt' }] };
    venue.node.config = { tunnels: [], flows: [shown] };
    await manager.fleet.nodes.reconcile(venue.id, admin);
    const { items } = await openDrift(manager);
    await manager.fleet.drift.ingest(items[0]?.id ?? '', admin);
    const push = await venue.node.command('update_flow', 2);
    expect(push.action).toMatchObject({ flow: { ...config, name: 'By hand' } });
  });

  it('stay at a node whose flow is taken over: nothing is pushed without them', async () => {
    await using all = await startVenueBed();
    const { manager, venue } = all;
    venue.node.config = { tunnels: [], flows: [{ id: 'main', name: 'Main', input: { type: 'srt' }, outputs: [] }] };
    await manager.fleet.nodes.reconcile(venue.id, admin);
    const { items } = await openDrift(manager);
    await manager.fleet.drift.ingest(items[0]?.id ?? '', admin);
    await openDrift(manager, 0);
    await manager.fleet.nodes.reconcile(venue.id, admin);
    await manager.steady(venue.id);
    const [flow] = (await manager.fleet.flows.page({ limit: 1 })).items;
    expect(flow).toMatchObject({ flow_id: 'main', status: 'active' });
    expect(venue.node.commands.filter(({ action }) => action.type === 'update_flow')).toEqual([]);
  });

  it('are asked for where only a mask is known', async () => {
    await using all = await startVenueBed();
    const masked = { ...config, input: { type: 'srt', passphrase: '***REDACTED***' } };
    const refused = all.manager.fleet.flows.create({ node_id: all.venue.id, config: masked }, admin);
    await expect(refused).rejects.toMatchObject({ code: 'invalid', field: 'config' });
  });
});
