import { expect, it } from 'vitest';
import { ApiBed } from '../../../support/manager/api-bed.ts';

it('differences are found by their own name and by their node’s, in any case', async () => {
  await using bed = await ApiBed.start();
  const cookie = await bed.signUp();
  const found = async (q: string) => {
    const answer = await bed.send('GET', `drift?q=${encodeURIComponent(q)}`, { cookie });
    return (answer.body['items'] as { name: string }[]).map(({ name }) => name).toSorted();
  };
  const [drift] = (await bed.fleet.drift.page({ limit: 1 })).items;
  const node = await bed.fleet.nodes.get(drift?.node_id ?? '');
  expect(await found(node.name.toUpperCase())).toEqual(['camera-4', 'test-by-hand']);
  expect(await found('BY-hand')).toEqual(['test-by-hand']);
  expect(await found('nobody has this name')).toEqual([]);
});
