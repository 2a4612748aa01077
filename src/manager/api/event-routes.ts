import { z } from 'zod';
import type { EventQuery } from '../store/store.ts';
import { apiRoute, type ApiRoute } from './api-route.ts';
import type { ApiParts } from './api-parts.ts';
import { present } from './present-fields.ts';
import { flagSchema, instantSchema, pageQuerySchema } from './query.ts';
import { Refusal } from './refusal.ts';
import { listOf, severitySchema } from '../views/common.ts';
import { eventCountSchema, eventSchema } from '../views/watching.ts';
import { eventWire } from '../views/wire.ts';

const refSchema = z.string().min(1).max(100).optional();

/** What events are filtered by, everywhere. */
export const eventFilterSchema = z.object({
  q: pageQuerySchema.shape.q,
  node: refSchema,
  tunnel: refSchema,
  flow: refSchema,
  severity: severitySchema.optional(),
  category: z.string().max(256).optional(),
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  unacknowledged: flagSchema.optional(),
});

const severities = ['info', 'warning', 'critical'] as const;
const mostAcknowledged = 1_000;

export function eventFilter(query: z.output<typeof eventFilterSchema>): Omit<EventQuery, 'limit' | 'after'> {
  const { q, node, tunnel, flow, severity, category, from, to, unacknowledged } = query;
  return present({
    text: q,
    nodeId: node,
    tunnelId: tunnel,
    flowId: flow,
    severity,
    category,
    from,
    to,
    unacknowledged,
  });
}

export function eventRoutes({ fleet, mirror }: ApiParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: 'events',
      summary: 'Events, newest first. `category` also takes what stands before its dot.',
      access: 'viewer',
      query: eventFilterSchema.extend({ limit: pageQuerySchema.shape.limit, after: pageQuerySchema.shape.after }),
      answer: listOf(eventSchema),
      async handle({ query }) {
        const rows = await fleet.events.page({ ...eventFilter(query), limit: query.limit, after: idOf(query.after) });
        const nodes = await mirror.nodes();
        const next = rows.length < query.limit ? null : String(rows.at(-1)?.id);
        return { body: { items: rows.map((row) => eventWire(row, nodes)), next } };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'events/count',
      summary: 'How many events match, in all and by severity.',
      access: 'viewer',
      query: eventFilterSchema,
      answer: eventCountSchema,
      async handle({ query }) {
        const filter = eventFilter(query);
        const wanted = severities.filter((severity) => (filter.severity ?? severity) === severity);
        const counted = await Promise.all(
          wanted.map(async (severity) => [severity, await fleet.events.count({ ...filter, severity })] as const),
        );
        const by_severity = { info: 0, warning: 0, critical: 0, ...Object.fromEntries(counted) };
        return { body: { total: counted.reduce((sum, [, count]) => sum + count, 0), by_severity } };
      },
    }),
    apiRoute({
      method: 'POST',
      path: 'events/{id}/ack',
      summary: 'Marks an event as seen.',
      access: 'operator',
      body: z.object({}),
      answer: z.object({ acknowledged: z.int() }),
      handle: async ({ params, actor }) => ({
        body: { acknowledged: await fleet.events.acknowledge([requiredId(params['id'])], actor) },
      }),
    }),
    apiRoute({
      method: 'POST',
      path: 'events/ack',
      summary: 'Marks events as seen, at most 1 000 at once.',
      access: 'operator',
      body: z.object({ ids: z.array(z.union([z.string().regex(/^\d{1,15}$/), z.int().min(0)])).max(mostAcknowledged) }),
      answer: z.object({ acknowledged: z.int() }),
      handle: async ({ body, actor }) => ({
        body: { acknowledged: await fleet.events.acknowledge(body.ids.map(Number), actor) },
      }),
    }),
  ];
}

function idOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function requiredId(text: string | undefined): number {
  const id = idOf(text);
  if (id === null) throw new Refusal(404, 'not_found', `Event '${text ?? ''}' not found`);
  return id;
}
