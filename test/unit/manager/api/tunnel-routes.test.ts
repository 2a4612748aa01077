import { expect, test } from 'vitest';
import type { ApiParts } from '../../../../src/manager/api/api-parts.ts';
import type { ApiRequest } from '../../../../src/manager/api/api-route.ts';
import { tunnelRoutes } from '../../../../src/manager/api/tunnel-routes.ts';
import { sampleFleet } from '../../../support/manager/sample-fleet.ts';

test('a change without If-Match is one of the generation whose other fields it keeps', async () => {
  const [tunnel] = sampleFleet(0, { nodes: 4, tunnels: 1 }).tunnels;
  if (tunnel === undefined) throw new Error('the sample fleet has no tunnel');
  const generations: (number | null)[] = [];
  const fleet = {
    tunnels: {
      get: () => Promise.resolve({ ...tunnel, generation: 7 }),
      patch: (_id: string, _change: object, generation: number | null) => {
        generations.push(generation);
        return Promise.resolve({ tunnel, warnings: [] });
      },
    },
    nodes: { stats: () => Promise.resolve(null) },
  };
  const mirror = { nodes: () => Promise.resolve(new Map()) };
  const routes = tunnelRoutes({ fleet, mirror } as unknown as ApiParts);
  const patch = routes.find(({ method }) => method === 'PATCH');
  const request = { params: { id: tunnel.id }, body: { name: 'other' } };
  for (const generation of [null, 3]) await patch?.handle({ ...request, generation } as unknown as ApiRequest);
  expect(generations).toEqual([7, 3]);
});
