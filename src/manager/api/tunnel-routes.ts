import { z } from 'zod';
import type { TunnelView } from '../fleet.ts';
import { apiRoute, type ApiRoute } from './api-route.ts';
import type { ApiParts } from './api-parts.ts';
import { present } from './present-fields.ts';
import { filteredPage, flagSchema, pageQuerySchema } from './query.ts';
import { listOf } from '../views/common.ts';
import {
  historyEntrySchema,
  tunnelDetailSchema,
  tunnelSchema,
  tunnelStatusSchema,
  tunnelWrittenSchema,
  whySchema,
} from '../views/tunnels.ts';
import { changeOf, idSchema, newTunnelSchema, tunnelChangeSchema } from './tunnel-input.ts';
import { historyOf } from './tunnel-history.ts';
import { tunnelDetail } from './tunnel-detail.ts';
import { tunnelWire } from '../views/wire.ts';
import { verdictOf } from './why-verdict.ts';

export function tunnelRoutes(parts: ApiParts): readonly ApiRoute[] {
  return [...readingRoutes(parts), ...writingRoutes(parts), ...actionRoutes(parts), ...keyRoutes(parts)];
}

function readingRoutes({ fleet, mirror, access }: ApiParts): readonly ApiRoute[] {
  return [
    listRoute({ fleet, mirror }),
    apiRoute({
      method: 'GET',
      path: 'tunnels/{id}',
      summary: 'One tunnel with its legs, and what the nodes say about its sides.',
      access: 'viewer',
      answer: tunnelDetailSchema,
      async handle({ params }) {
        const tunnel = await fleet.tunnels.get(params['id'] ?? '');
        return { body: await tunnelDetail(tunnel, fleet, mirror), generation: tunnel.generation };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'tunnels/{id}/why',
      summary: 'Why the tunnel works, or why not, in words.',
      access: 'viewer',
      answer: whySchema,
      handle: async ({ params }) => ({ body: verdictOf(await fleet.tunnels.why(params['id'] ?? '')) }),
    }),
    apiRoute({
      method: 'GET',
      path: 'tunnels/{id}/history',
      summary: 'Events and changes of the tunnel in one line of time, newest first.',
      access: 'viewer',
      query: z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
      answer: listOf(historyEntrySchema),
      async handle({ params, query }) {
        const { id } = await fleet.tunnels.get(params['id'] ?? '');
        const sources = { fleet, trail: access.trail };
        const entries = await historyOf({ tunnelId: id }, { kind: 'tunnel', id }, query.limit, sources);
        return { body: { items: entries, next: null } };
      },
    }),
  ];
}

/** The answer of a write. */
function writtenBy({ fleet, mirror }: Pick<ApiParts, 'fleet' | 'mirror'>) {
  return async (tunnel: TunnelView, warnings: readonly string[] = []) => ({
    body: { ...(await tunnelDetail(tunnel, fleet, mirror)), warnings: [...warnings] },
    generation: tunnel.generation,
  });
}

const actions = {
  retry: 'Pushes failed legs now.',
  pause: 'Takes its legs away until it is resumed.',
  resume: 'Brings its legs back.',
} as const;

function writingRoutes({ fleet, mirror }: ApiParts): readonly ApiRoute[] {
  const written = writtenBy({ fleet, mirror });
  return [
    apiRoute({
      method: 'POST',
      path: 'tunnels',
      summary: 'Makes a tunnel and pushes its legs. `relays` absent or `auto`: the manager chooses them.',
      access: 'operator',
      body: newTunnelSchema,
      answer: tunnelWrittenSchema,
      status: 201,
      async handle({ body, actor }) {
        const { tunnel, warnings } = await fleet.tunnels.create(body, actor);
        return written(tunnel, warnings);
      },
    }),
    apiRoute({
      method: 'PATCH',
      path: 'tunnels/{id}',
      summary: 'Changes a tunnel: a new generation of its legs.',
      access: 'operator',
      body: tunnelChangeSchema,
      answer: tunnelWrittenSchema,
      async handle({ params, body, generation, actor }) {
        const current = await fleet.tunnels.get(params['id'] ?? '');
        // The ends that are not changed are those of this generation: another one may have others.
        const seen = generation ?? current.generation;
        const { tunnel, warnings } = await fleet.tunnels.patch(current.id, changeOf(body, current), seen, actor);
        return written(tunnel, warnings);
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: 'tunnels/{id}',
      summary: 'Removes a tunnel from its nodes; it can be restored for 30 days.',
      access: 'operator',
      answer: tunnelWrittenSchema,
      status: 202,
      handle: async ({ params, generation, actor }) =>
        written(await fleet.tunnels.remove(params['id'] ?? '', generation, actor)),
    }),
  ];
}

function actionRoutes({ fleet, mirror }: ApiParts): readonly ApiRoute[] {
  const written = writtenBy({ fleet, mirror });
  return [
    apiRoute({
      method: 'POST',
      path: 'tunnels/{id}/restore',
      summary: 'Brings a removed tunnel back as a new generation.',
      access: 'operator',
      body: z.object({}),
      answer: tunnelWrittenSchema,
      async handle({ params, actor }) {
        const { tunnel, warnings } = await fleet.tunnels.restore(params['id'] ?? '', actor);
        return written(tunnel, warnings);
      },
    }),
    ...(['retry', 'pause', 'resume'] as const).map((action) =>
      apiRoute({
        method: 'POST',
        path: `tunnels/{id}/${action}`,
        summary: actions[action],
        access: 'operator',
        body: z.object({}),
        answer: tunnelWrittenSchema,
        handle: async ({ params, actor }) => written(await fleet.tunnels[action](params['id'] ?? '', actor)),
      }),
    ),
  ];
}

function keyRoutes({ fleet, mirror }: ApiParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: 'tunnels/{id}/rotate-keys',
      summary: 'New bind secret and encryption key: relays first, then both edges.',
      access: 'admin',
      body: z.object({}),
      answer: tunnelDetailSchema,
      async handle({ params, actor }) {
        const tunnel = await fleet.tunnels.rotateKeys(params['id'] ?? '', actor);
        return { body: await tunnelDetail(tunnel, fleet, mirror), generation: tunnel.generation };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'tunnels/{id}/keys',
      summary: 'The keys of a tunnel, for an edge that is configured by hand. Each read is audited.',
      access: 'admin',
      answer: z.object({ encryption_key: z.string(), bind_secret: z.string() }),
      handle: async ({ params, actor }) => ({ body: await fleet.tunnels.keys(params['id'] ?? '', actor) }),
    }),
  ];
}

function listRoute({ fleet, mirror }: Pick<ApiParts, 'fleet' | 'mirror'>): ApiRoute {
  return apiRoute({
    method: 'GET',
    path: 'tunnels',
    summary: 'Tunnels by name, filtered by a part of the name, a node or the status.',
    access: 'viewer',
    query: pageQuerySchema.extend({
      node: idSchema.optional(),
      status: tunnelStatusSchema.optional(),
      removed: flagSchema.optional(),
    }),
    answer: listOf(tunnelSchema),
    async handle({ query: { limit, after, q, node, status, removed = false } }) {
      const nodes = await mirror.nodes();
      const filter = { removed, ...present({ q, nodeId: node }) };
      const page = await filteredPage(
        { limit, after },
        (wanted, from) => fleet.tunnels.page({ ...filter, limit: wanted, after: from }),
        (tunnel) => status === undefined || tunnel.status === status,
      );
      return { body: { items: page.items.map((tunnel) => tunnelWire(tunnel, nodes)), next: page.next } };
    },
  });
}
