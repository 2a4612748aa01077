import { z } from 'zod';
import type { FlowView } from '../fleet.ts';
import { apiRoute, type ApiRoute } from './api-route.ts';
import type { ApiParts } from './api-parts.ts';
import { present } from './present-fields.ts';
import { filteredPage, flagSchema, pageQuerySchema } from './query.ts';
import { listOf } from '../views/common.ts';
import { flowSchema, historyEntrySchema, tunnelStatusSchema } from '../views/tunnels.ts';
import { nameSchema } from './session-routes.ts';
import { historyOf } from './tunnel-history.ts';
import { flowWire } from '../views/wire.ts';

const idSchema = z.string().min(1).max(100);
const configSchema = z.record(z.string(), z.unknown());

export function flowRoutes(parts: ApiParts): readonly ApiRoute[] {
  return [...readingRoutes(parts), ...writingRoutes(parts)];
}

function readingRoutes({ fleet, mirror, access }: ApiParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: 'flows',
      summary: 'Managed flows by name, filtered by a part of the name, a node or the status.',
      access: 'viewer',
      query: pageQuerySchema.extend({
        node: idSchema.optional(),
        status: tunnelStatusSchema.optional(),
        removed: flagSchema.optional(),
      }),
      answer: listOf(flowSchema),
      async handle({ query: { limit, after, q, node, status, removed = false } }) {
        const nodes = await mirror.nodes();
        const filter = { removed, ...present({ q, nodeId: node }) };
        const page = await filteredPage(
          { limit, after },
          (wanted, from) => fleet.flows.page({ ...filter, limit: wanted, after: from }),
          (flow) => status === undefined || flow.status === status,
        );
        return { body: { items: page.items.map((flow) => flowWire(flow, nodes)), next: page.next } };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'flows/{id}',
      summary: 'One flow with its config.',
      access: 'viewer',
      answer: flowSchema,
      async handle({ params }) {
        const flow = await fleet.flows.get(params['id'] ?? '');
        return { body: flowWire(flow, await mirror.nodes()), generation: flow.generation };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'flows/{id}/history',
      summary: 'Events and changes of the flow in one line of time, newest first.',
      access: 'viewer',
      query: z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
      answer: listOf(historyEntrySchema),
      async handle({ params, query }) {
        const { id, node_id, flow_id } = await fleet.flows.get(params['id'] ?? '');
        const sources = { fleet, trail: access.trail };
        const entries = await historyOf(
          { nodeId: node_id, flowId: flow_id },
          { kind: 'flow', id },
          query.limit,
          sources,
        );
        return { body: { items: entries, next: null } };
      },
    }),
  ];
}

function writingRoutes({ fleet, mirror }: ApiParts): readonly ApiRoute[] {
  const written = async (flow: FlowView) => ({
    body: flowWire(flow, await mirror.nodes()),
    generation: flow.generation,
  });
  return [
    apiRoute({
      method: 'POST',
      path: 'flows',
      summary: 'Makes a flow on an edge and pushes it.',
      access: 'operator',
      body: z.object({ node_id: idSchema, name: nameSchema.optional(), config: configSchema }),
      answer: flowSchema,
      status: 201,
      handle: async ({ body: { node_id, name, config }, actor }) =>
        written(await fleet.flows.create({ node_id, ...present({ name }), config }, actor)),
    }),
    apiRoute({
      method: 'PATCH',
      path: 'flows/{id}',
      summary: 'Changes a flow: a new generation.',
      access: 'operator',
      body: z.object({ name: nameSchema.optional(), config: configSchema.optional(), node_id: idSchema.optional() }),
      answer: flowSchema,
      handle: async ({ params, body, generation, actor }) =>
        written(await fleet.flows.patch(params['id'] ?? '', present(body), generation, actor)),
    }),
    apiRoute({
      method: 'DELETE',
      path: 'flows/{id}',
      summary: 'Removes a flow from its node; it can be restored for 30 days.',
      access: 'operator',
      answer: flowSchema,
      status: 202,
      handle: async ({ params, generation, actor }) =>
        written(await fleet.flows.remove(params['id'] ?? '', generation, actor)),
    }),
    ...(['restore', 'retry'] as const).map((action) =>
      apiRoute({
        method: 'POST',
        path: `flows/{id}/${action}`,
        summary: action === 'retry' ? 'Pushes it now.' : 'Brings a removed flow back as a new generation.',
        access: 'operator',
        body: z.object({}),
        answer: flowSchema,
        handle: async ({ params, actor }) => written(await fleet.flows[action](params['id'] ?? '', actor)),
      }),
    ),
  ];
}
