import { expect, it } from 'vitest';
import { admin, ManagerBed } from '../../support/manager/manager-bed.ts';
import { cookieOf, restCall } from '../../support/manager/rest-call.ts';

const config = { id: 'main', input: { type: 'srt', mode: 'listener', local_addr: '127.0.0.1:9000' }, outputs: [] };

it('the history of a flow has no events of another node’s flow with the same id', async () => {
  await using manager = await ManagerBed.start({ hasPage: true });
  const token = manager.program.firstAdmin?.split('#')[1] ?? '';
  const person = { token, name: 'alice', password: 'correct horse battery' };
  const cookie = cookieOf(await restCall(manager.origin, 'POST', 'first-admin', { body: person }));
  const [venue, studio] = [await manager.join('venue'), await manager.join('studio')];
  const flow = await manager.fleet.flows.create({ node_id: venue.id, config }, admin);
  for (const { node, id } of [venue, studio]) {
    node.say('event', { severity: 'info', category: 'srt', message: `raised by ${id}`, flow_id: 'main' });
    await manager.eventsOf('srt', id);
  }
  const { items } = (await restCall(manager.origin, 'GET', `flows/${flow.id}/history`, { cookie })).body as {
    items: readonly { readonly kind: string; readonly text: string }[];
  };
  const raised = items.map(({ text }) => text).filter((text) => text.startsWith('raised by'));
  expect(raised).toEqual([`raised by ${venue.id}`]);
  for (const { node } of [venue, studio]) await node[Symbol.asyncDispose]();
});
