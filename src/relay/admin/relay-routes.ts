import { z } from 'zod';
import { healthRoutes } from '../../admin/health-routes.ts';
import { programFactsRoute } from '../../admin/program-facts.ts';
import { answerAbout, notFound, route, tunnelRoute, type Route } from '../../admin/route.ts';
import type { RelayAdminSource } from './relay-answers.ts';
import {
  authorizedSchema,
  deletedSchema,
  edgesSchema,
  healthSchema,
  refusalsSchema,
  statsSchema,
  tunnelFactsSchema,
  tunnelSchema,
  tunnelsSchema,
} from './relay-schemas.ts';

/** The relay's REST API (docs/protocol/manager.md §8). */
export function relayRoutes(source: RelayAdminSource): readonly Route[] {
  return [
    ...healthRoutes(source, healthSchema),
    programFactsRoute(() => source.programFacts()),
    ...listRoutes(source),
    ...tunnelRoutes(source),
    ...changes(source),
  ];
}

function listRoutes(source: RelayAdminSource): readonly Route[] {
  const common = { method: 'GET', access: 'token', refusals: [] } as const;
  return [
    route({
      ...common,
      path: '/api/v1/tunnels',
      summary: 'Every tunnel that has a leg, with the state of both of its paths.',
      body: tunnelsSchema,
      handle: () => ({ status: 200, body: { tunnels: source.tunnels() } }),
    }),
    route({
      ...common,
      path: '/api/v1/edges',
      summary: 'Every connected edge.',
      body: edgesSchema,
      handle: () => ({ status: 200, body: { edges: source.edges() } }),
    }),
    route({
      ...common,
      path: '/api/v1/refusals',
      summary: 'Refused binds, also of tunnels that nobody authorised: who tried and why not.',
      body: refusalsSchema,
      handle: () => ({ status: 200, body: source.refusals() }),
    }),
    route({
      ...common,
      path: '/api/v1/authorized',
      summary: 'Tunnels that may be bound by config or manager, held or not, with their names.',
      body: authorizedSchema,
      handle: () => ({ status: 200, body: source.authorized() }),
    }),
    route({
      ...common,
      path: '/api/v1/stats',
      summary: 'Totals since the start; a tunnel that ends takes nothing away.',
      body: statsSchema,
      handle: () => ({ status: 200, body: source.stats() }),
    }),
  ];
}

function tunnelRoutes(source: RelayAdminSource): readonly Route[] {
  return [
    tunnelRoute(tunnelSchema, (id) => source.tunnel(id)),
    route({
      method: 'GET',
      path: '/api/v1/tunnels/{id}/why',
      summary: 'What explains how a tunnel is; also of one that nobody holds. `adit why` puts it into words.',
      access: 'token',
      body: tunnelFactsSchema,
      refusals: [400],
      handle: (text) => answerAbout(text, (id) => ({ status: 200, body: source.facts(id) })),
    }),
  ];
}

function changes(source: RelayAdminSource): readonly Route[] {
  return [
    route({
      method: 'DELETE',
      path: '/api/v1/tunnels/{id}/revocation',
      summary: 'Lifts a revocation: the tunnel is again what the config and the manager say of it.',
      access: 'token-required',
      body: z.object({ unrevoked: z.string() }),
      refusals: [400, 404],
      handle: (text) =>
        answerAbout(text, async (id) =>
          (await source.control.unrevoke(id)) ? { status: 200, body: { unrevoked: id } } : notFound(id),
        ),
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/tunnels/{id}',
      summary: 'Takes both legs of a tunnel away and revokes it: nobody may bind it until that is lifted.',
      access: 'token-required',
      body: deletedSchema,
      refusals: [400, 404],
      handle: (text) =>
        answerAbout(text, async (id) => {
          const legs = await source.control.deleteTunnel(id);
          if (legs === null) return notFound(id);
          return { status: 200, body: { deleted: true, tunnel_id: id, peers_notified: legs, revoked: true } };
        }),
    }),
  ];
}
