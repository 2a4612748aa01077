import { z } from 'zod';
import type { DriftView } from '../fleet.ts';
import { apiRoute, type ApiRoute } from './api-route.ts';
import type { ApiParts } from './api-parts.ts';
import { present } from './present-fields.ts';
import { filteredPage, flagSchema, pageQuerySchema } from './query.ts';
import { listOf } from '../views/common.ts';
import { driftSchema } from '../views/watching.ts';
import { driftWire } from '../views/wire.ts';

const summaries = {
  repush: "Replaces the node's values by the manager's.",
  ingest: "Makes the node's values the manager's.",
  mute: 'Ignores the difference until its value changes.',
} as const;

export function driftRoutes({ fleet, mirror }: ApiParts): readonly ApiRoute[] {
  const answered = async (drift: DriftView) => {
    mirror.markChanged([drift.node_id]);
    return { body: driftWire(drift, await mirror.nodes()) };
  };
  return [
    listRoute({ fleet, mirror }),
    apiRoute({
      method: 'GET',
      path: 'drift/{id}',
      summary: 'One difference, with what each action would do.',
      access: 'viewer',
      answer: driftSchema,
      handle: async ({ params }) => answered(await fleet.drift.get(params['id'] ?? '')),
    }),
    ...(['repush', 'ingest', 'mute'] as const).map((action) =>
      apiRoute({
        method: 'POST',
        path: `drift/{id}/${action}`,
        summary: summaries[action],
        access: 'operator',
        body: z.object({}),
        answer: driftSchema,
        handle: async ({ params, actor }) => answered(await fleet.drift[action](params['id'] ?? '', actor)),
      }),
    ),
    apiRoute({
      method: 'POST',
      path: 'drift/{id}/delete',
      summary: 'Deletes the resource on one side.',
      access: 'operator',
      body: z.object({ from: z.enum(['node', 'manager']) }),
      answer: driftSchema,
      handle: async ({ params, body, actor }) =>
        answered(await fleet.drift.remove(params['id'] ?? '', body.from, actor)),
    }),
  ];
}

function listRoute({ fleet, mirror }: Pick<ApiParts, 'fleet' | 'mirror'>): ApiRoute {
  return apiRoute({
    method: 'GET',
    path: 'drift',
    summary: 'Open differences between what nodes run and what the manager wants. `q` also finds names of nodes.',
    access: 'viewer',
    query: pageQuerySchema.extend({
      node: z.string().max(100).optional(),
      kind: driftSchema.shape.kind.optional(),
      muted: flagSchema.optional(),
    }),
    answer: listOf(driftSchema),
    async handle({ query: { limit, after, q, node, kind, muted = false } }) {
      const nodes = await mirror.nodes();
      const filter = present({ nodeId: node });
      const wantedText = q?.toLowerCase() ?? '';
      const mentions = ({ name, node_id: id }: DriftView): boolean =>
        [name, nodes.get(id)?.name ?? ''].some((text) => text.toLowerCase().includes(wantedText));
      const page = await filteredPage(
        { limit, after },
        (wanted, from) => fleet.drift.page({ ...filter, ...(!muted && { muted: false }), limit: wanted, after: from }),
        (drift) => (kind === undefined || drift.kind === kind) && mentions(drift),
      );
      return { body: { items: page.items.map((drift) => driftWire(drift, nodes)), next: page.next } };
    },
  });
}
