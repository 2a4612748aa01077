import { z } from 'zod';
import type { FlowView } from '../fleet.ts';
import { flowFigures, type FlowFigures } from '../live/flow-figures.ts';
import type { FlowPoint } from '../live/flow-history.ts';
import { mostPoints } from '../live/figure-ring.ts';
import { unlessGone } from '../live/unless-gone.ts';
import { listOf } from '../views/common.ts';
import { flowLiveSchema } from '../views/flow-live.ts';
import { apiRoute, type ApiRoute } from './api-route.ts';
import type { ApiParts } from './api-parts.ts';

/** A page draws no more rows at once. */
const mostFlows = 60;

const idsSchema = z
  .string()
  .max(mostFlows * 101)
  .transform((text) => text.split(',').filter(Boolean))
  .pipe(z.array(z.string().max(100)).max(mostFlows));

type Parts = Pick<ApiParts, 'fleet' | 'flowHistory'>;

/** How media flows run now, and in the last minutes. */
export function flowLiveRoutes(parts: Parts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: 'flow-stats',
      summary: 'Health, bit rate and continuity errors of the flows in `ids` (at most 60, with commas between them).',
      access: 'viewer',
      query: z.object({
        ids: idsSchema,
        points: z.coerce.number().int().min(0).max(mostPoints).default(40),
      }),
      answer: listOf(flowLiveSchema),
      async handle({ query: { ids, points } }) {
        const flows = await Promise.all(ids.map((id) => unlessGone(parts.fleet.flows.get(id))));
        const known = flows.filter((flow) => flow !== null);
        return { body: { items: await Promise.all(known.map((flow) => live(parts, flow, points))), next: null } };
      },
    }),
  ];
}

async function live({ fleet, flowHistory }: Parts, flow: FlowView, points: number): Promise<FlowLiveWire> {
  const stats = await unlessGone(fleet.nodes.stats(flow.node_id));
  const now = flowFigures(stats?.payload).get(flow.flow_id);
  return {
    id: flow.id,
    at: now === undefined ? null : (stats?.at ?? null),
    ...presentOf(now),
    history: historyOf(points === 0 ? [] : flowHistory.of(flow.node_id, flow.flow_id).slice(-points)),
  };
}

function presentOf(now: FlowFigures | undefined) {
  return {
    health: now?.health ?? null,
    problem: now?.problem ?? null,
    bits_per_sec: now?.bitsPerSecond ?? null,
    continuity_errors: now?.continuityErrors ?? null,
  };
}

function historyOf(past: readonly FlowPoint[]): FlowLiveWire['history'] {
  return {
    at: past.map(({ at }) => at),
    health: past.map(({ health }) => health),
    bits_per_sec: past.map(({ bitsPerSecond }) => bitsPerSecond),
    new_errors: past.map(({ newErrors }) => newErrors),
  };
}

type FlowLiveWire = z.input<typeof flowLiveSchema>;
