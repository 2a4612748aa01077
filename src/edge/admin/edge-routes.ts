import { z } from 'zod';
import { healthRoutes } from '../../admin/health-routes.ts';
import { programFactsRoute } from '../../admin/program-facts.ts';
import { answerAbout, notFound, route, tunnelRoute, type Route } from '../../admin/route.ts';
import type { EdgeAdminSource } from './edge-admin-source.ts';
import { flowRoutes } from './flow-routes.ts';
import { healthSchema, tunnelFactsSchema, tunnelSchema } from './edge-schemas.ts';

/** An edge's REST API: the relay's, as far as it makes sense here (docs/protocol/manager.md §8). */
export function edgeRoutes(source: EdgeAdminSource): readonly Route[] {
  return [
    ...healthRoutes(source, healthSchema),
    programFactsRoute(() => source.programFacts()),
    ...flowRoutes(source),
    route({
      method: 'GET',
      path: '/api/v1/tunnels',
      summary: 'Every tunnel of this edge, with the path to each of its relays.',
      access: 'token',
      body: z.array(tunnelSchema).readonly(),
      refusals: [],
      handle: () => ({ status: 200, body: source.tunnels() }),
    }),
    tunnelRoute(tunnelSchema, (id) => source.tunnels().find((each) => each.id === id) ?? null),
    route({
      method: 'GET',
      path: '/api/v1/tunnels/{id}/why',
      summary: 'What explains how a tunnel is. `adit why` puts it into words.',
      access: 'token',
      body: tunnelFactsSchema,
      refusals: [400, 404],
      handle: (text) =>
        answerAbout(text, (id) => {
          const facts = source.facts(id);
          return facts === null ? notFound(id) : { status: 200, body: facts };
        }),
    }),
  ];
}
