import { z } from 'zod';
import type { AdminSource } from './admin-source.ts';
import { route, type Route } from './route.ts';

export const readySchema = z.object({ ready: z.boolean(), reasons: z.array(z.string()).readonly() });

/** `/health` and `/ready`, open to load balancers and supervisors without a token. */
export function healthRoutes<Schema extends z.ZodType>(
  source: AdminSource<z.output<Schema>>,
  healthSchema: Schema,
): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/health',
      summary: 'Whether the program works; 503 when a restart is due.',
      access: 'public',
      body: healthSchema,
      unavailable: true,
      refusals: [],
      handle() {
        const { alive, report } = source.health();
        return { status: alive ? 200 : 503, body: report };
      },
    }),
    route({
      method: 'GET',
      path: '/ready',
      summary: 'Whether new tunnels would be accepted now; 503 with the reasons when not.',
      access: 'public',
      body: readySchema,
      unavailable: true,
      refusals: [],
      handle() {
        const reasons = source.notReadyReasons();
        return { status: reasons.length === 0 ? 200 : 503, body: { ready: reasons.length === 0, reasons } };
      },
    }),
  ];
}
