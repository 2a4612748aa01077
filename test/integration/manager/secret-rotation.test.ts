import { describe, expect, it } from 'vitest';
import { admin } from '../../support/manager/manager-bed.ts';
import { SimNode } from '../../support/manager/sim-node.ts';
import { startVenueBed } from '../../support/manager/venue-bed.ts';
import { until } from '../../support/until.ts';

describe('a secret that is rotated', () => {
  it.each([
    ['acknowledged', {}, 'acknowledged'],
    ['not answered', 'silence', 'unconfirmed'],
  ] as const)(
    'MG1 %s leaves the old one and the new one in force until one is used',
    async (_what, answer, outcome) => {
      await using all = await startVenueBed();
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

  it('MG1 twice in a row leaves all three in force until one is used, and then no older one', async () => {
    await using all = await startVenueBed();
    const { id, credentials, node } = all.venue;
    const fresh: string[] = [];
    node.answer = ({ action }) => {
      fresh.push(String(action['new_secret']));
      return {};
    };
    for (let times = 0; times < 2; times++) await all.manager.fleet.nodes.rotateSecret(id, false, admin);
    await node[Symbol.asyncDispose]();
    const [first, second] = fresh.map((node_secret) => ({ node_id: id, node_secret }));
    const comesWith = async (shown: Readonly<Record<string, unknown>> = {}): Promise<number> => {
      await using back = await SimNode.connect(all.manager.url, shown);
      expect(back.isOpen).toBe(true);
      return (await all.manager.fleet.nodes.get(id)).secrets.length;
    };
    // A node that kept the old one, one whose second file was lost, and one that has all.
    expect([await comesWith(credentials), await comesWith(first), await comesWith(second)]).toEqual([3, 2, 1]);
    for (const old of [credentials, first ?? {}]) {
      await expect(SimNode.connect(all.manager.url, old)).rejects.toThrow('Invalid node secret');
    }
  });

  it('MG1 again and again, unused, is refused in time: the old one and each new one still let the node in', async () => {
    await using all = await startVenueBed();
    const { id, credentials, node } = all.venue;
    const fresh: string[] = [];
    node.answer = ({ action }) => {
      fresh.push(String(action['new_secret']));
      return 'silence';
    };
    const rotate = () => all.manager.fleet.nodes.rotateSecret(id, false, admin);
    const asked: ReturnType<typeof rotate>[] = [];
    for (let times = 1; times <= 7; times++) {
      asked.push(rotate());
      await until(() => fresh.length === times, { what: `${times} new secrets` });
    }
    await expect(rotate()).rejects.toMatchObject({ status: 409, code: 'too_many_secrets' });
    await node[Symbol.asyncDispose]();
    expect(new Set((await Promise.all(asked)).map(({ outcome }) => outcome))).toEqual(new Set(['unconfirmed']));
    for (const node_secret of [credentials.node_secret, ...fresh]) {
      await using back = await SimNode.connect(all.manager.url, { node_id: id, node_secret });
      expect(back.isOpen).toBe(true);
    }
    expect((await all.manager.fleet.nodes.get(id)).secrets).toHaveLength(1);
  });

  it('MG2 with the previous one revoked shuts the old one out at once', async () => {
    await using all = await startVenueBed();
    await all.manager.fleet.nodes.rotateSecret(all.venue.id, true, admin);
    await expect(SimNode.connect(all.manager.url, all.venue.credentials)).rejects.toThrow('Invalid node secret');
  });

  it('MG1 that the node refuses stays as it was', async () => {
    await using all = await startVenueBed();
    all.venue.node.answer = () => ({ error: 'Credential persistence failed' });
    await expect(all.manager.fleet.nodes.rotateSecret(all.venue.id, false, admin)).rejects.toMatchObject({
      status: 422,
    });
    await using same = await SimNode.connect(all.manager.url, all.venue.credentials);
    expect(same.isOpen).toBe(true);
  });
});
