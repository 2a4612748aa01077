import { describe, expect, it } from 'vitest';
import { admin, ManagerBed, type JoinedNode } from '../../support/manager/manager-bed.ts';
import { SimNode } from '../../support/manager/sim-node.ts';

interface World extends AsyncDisposable {
  readonly manager: ManagerBed;
  readonly venue: JoinedNode;
}

async function world(): Promise<World> {
  const manager = await ManagerBed.start();
  const venue = await manager.join('venue');
  await manager.steady(venue.id);
  return {
    ...{ manager, venue },
    async [Symbol.asyncDispose]() {
      await venue.node[Symbol.asyncDispose]();
      await manager[Symbol.asyncDispose]();
    },
  };
}

describe('a secret that is rotated', () => {
  it.each([
    ['acknowledged', {}, 'acknowledged'],
    ['not answered', 'silence', 'unconfirmed'],
  ] as const)(
    'MG1 %s leaves the old one and the new one in force until one is used',
    async (_what, answer, outcome) => {
      await using all = await world();
      let secret = '';
      all.venue.node.answer = ({ action }) => {
        secret = String(action['new_secret']);
        if (answer === 'silence') queueMicrotask(() => all.venue.node.terminate());
        return answer;
      };
      expect(await all.manager.fleet.nodes.rotateSecret(all.venue.id, false, admin)).toEqual({ outcome });
      await all.venue.node[Symbol.asyncDispose]();
      await using old = await SimNode.connect(all.manager.url, all.venue.credentials);
      await old[Symbol.asyncDispose]();
      await using fresh = await SimNode.connect(all.manager.url, { node_id: all.venue.id, node_secret: secret });
      expect(fresh.isOpen).toBe(true);
      expect((await all.manager.fleet.nodes.get(all.venue.id)).secrets).toHaveLength(1);
      await expect(SimNode.connect(all.manager.url, all.venue.credentials)).rejects.toThrow('Invalid node secret');
    },
  );

  it('MG2 with the previous one revoked shuts the old one out at once', async () => {
    await using all = await world();
    await all.manager.fleet.nodes.rotateSecret(all.venue.id, true, admin);
    await expect(SimNode.connect(all.manager.url, all.venue.credentials)).rejects.toThrow('Invalid node secret');
  });

  it('MG1 that the node refuses stays as it was', async () => {
    await using all = await world();
    all.venue.node.answer = () => ({ error: 'Credential persistence failed' });
    await expect(all.manager.fleet.nodes.rotateSecret(all.venue.id, false, admin)).rejects.toMatchObject({
      status: 422,
    });
    await using same = await SimNode.connect(all.manager.url, all.venue.credentials);
    expect(same.isOpen).toBe(true);
  });
});
