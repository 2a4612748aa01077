import { z } from 'zod';
import { route, type Route } from '../../admin/route.ts';
import type { EdgeAdminSource } from './edge-admin-source.ts';
import { flowFactsSchema, flowStatsSchema } from './flow-schemas.ts';

/** What REST returns of an edge's media flows. */
export function flowRoutes(source: EdgeAdminSource): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/flows',
      summary: 'Every media flow of this edge.',
      access: 'token',
      body: z.array(flowStatsSchema).readonly(),
      refusals: [],
      handle: () => ({ status: 200, body: source.flows() }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/flows/{flow_id}/why',
      summary: 'What explains how a media flow is. `adit why` puts it into words.',
      access: 'token',
      body: flowFactsSchema,
      refusals: [404],
      handle: (id) => {
        const facts = source.flowFacts(id);
        if (facts !== null) return { status: 200, body: facts };
        return { status: 404, error: `Flow '${id.slice(0, 64)}' not found`, errorCode: 'not_found' };
      },
    }),
  ];
}
